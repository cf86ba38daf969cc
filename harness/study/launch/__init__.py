"""Who runs trials: this process, other processes, or a cluster; one small interface for all."""

from harness.study.launch.open import open_launcher

__all__ = ["open_launcher"]
