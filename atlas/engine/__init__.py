"""The engine: shards of work in, receipts out, on however many workers there are. It knows no product."""
