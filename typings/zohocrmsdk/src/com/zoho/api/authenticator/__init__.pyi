from .oauth_token import OAuthToken as OAuthToken
from .token import Token as Token
