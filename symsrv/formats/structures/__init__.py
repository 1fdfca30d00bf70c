"""The containers and tables that formats are made of: headers, sections, streams, notes, metadata."""
