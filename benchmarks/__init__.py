"""Programs that make or measure things for Tailwatch; the product never imports them."""
