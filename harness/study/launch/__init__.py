"""Who runs trials: this process, other processes, or a cluster; one small interface for all."""
