"""The stages: what each feeds the loop and writes down."""
