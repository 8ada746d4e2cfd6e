from .data_center import DataCenter as DataCenter
