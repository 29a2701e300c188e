"""The engines as local processes: a file each with its configuration, its command and how one knows it is ready."""
