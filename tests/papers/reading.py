"""Reads a PDF as people and scanners do: its text, its pages as pictures, the barcodes on them, its tags."""

from dataclasses import dataclass

import pypdfium2
import pypdfium2.raw as pdfium
import zxingcpp
from PIL import Image

DOTS_PER_INCH = 300  # an office printer's; label printers have 203


@dataclass(frozen=True)
class ReadPaper:
    pages: tuple[str, ...]
    title: str
    is_tagged: bool
    data: bytes

    @property
    def text(self) -> str:
        return "\n".join(self.pages)

    @property
    def words(self) -> str:
        """Its text in one line: where a line ends is the typesetter's business."""
        return " ".join(self.text.replace("\u200b", "").split())


def read_pdf(data: bytes) -> ReadPaper:
    document = pypdfium2.PdfDocument(data)
    pages = tuple(page.get_textpage().get_text_bounded() for page in document)
    return ReadPaper(pages, document.get_metadata_value("Title"), bool(pdfium.FPDFCatalog_IsTagged(document)), data)


def draw_page(data: bytes, index: int, *, dots: int = DOTS_PER_INCH) -> Image.Image:
    return pypdfium2.PdfDocument(data)[index].render(scale=dots / 72).to_pil()


def scan_page(data: bytes, index: int, *, dots: int = DOTS_PER_INCH) -> list[str]:
    """What a scanner types in from that page."""
    return [each.text for each in zxingcpp.read_barcodes(draw_page(data, index, dots=dots))]
