"""The contracts' meaning as frozen data. Standard library only, no IO, no language, no contract syntax."""
