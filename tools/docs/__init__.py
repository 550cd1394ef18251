"""What is made for the documentation: a page a rule, the drawings, and what mkdocs needs to know besides."""
