from tests.paying import standin, standin_for_commands, standin_process

__all__ = ["standin", "standin_for_commands", "standin_process"]
