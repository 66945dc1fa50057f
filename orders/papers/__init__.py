"""Papers as PDF: packing slips, invoices and credit notes. Typst draws them from `templates/papers` (ADR 63)."""
