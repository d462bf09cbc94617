"""The networks: backbones, necks, heads, and the NanoDet-Plus detector put together from them."""
