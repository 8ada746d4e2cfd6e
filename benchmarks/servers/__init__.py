"""The servers that the benchmarks run on, each a process of their own on this machine."""
