"""FFmpeg below the sources."""

from __future__ import annotations

from pathlib import Path

from nanoedge.video.sources.container import Container


def damaged(clip: Path, to: Path) -> Path:
    """The clip with other bytes in its frames."""
    data = bytearray(clip.read_bytes())
    for at in range(data.index(b"mdat") + 300, data.index(b"moov") - 50, 37):
        data[at] ^= 0x5A
    to.write_bytes(data)
    return to


def test_what_a_decoder_says_never_waits_for_python(clip: Path, tmp_path: Path) -> None:
    """Else such a thread waits for the interpreter, and the interpreter, which closes the video, for that thread."""
    import av

    before = av.logging.get_last_error()[0]
    container = Container(str(damaged(clip, tmp_path / "damaged.mp4")), "The clip", {}, threads=2)
    while container.read() is not None:
        pass
    container.close()
    assert av.logging.get_last_error()[0] == before
