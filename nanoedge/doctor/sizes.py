"""Bytes in words."""

MB = 1_000_000
GB = 1_000_000_000


def size_text(size: int) -> str:
    """Such as `3.9 GB` or `240 MB`; decimal units, as on the label of a disk."""
    if size >= 100 * GB:
        return f"{size / GB:.0f} GB"
    return f"{size / GB:.1f} GB" if size >= GB else f"{size / MB:.0f} MB"
