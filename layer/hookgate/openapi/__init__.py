"""A service's own OpenAPI document: what it lets be asked, and what it promises."""
