"""Sound in and out: files, the mel front end, codecs, vocoders, the product's own ear."""
