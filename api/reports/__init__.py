"""The monthly report that a mayor brings to the council: read, put into words, drawn, made a PDF."""
