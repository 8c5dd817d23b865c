"""The reader study: its protocol, the order of reading, each reader's store, and what follows from them."""
