"""The version of this tool, for packaging, `--version` and the manifest."""

VERSION = "0.1.0"
