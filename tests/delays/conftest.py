from tests.paying import standin, standin_process

__all__ = ["standin", "standin_process"]
