"""The two search languages of CLS, CQL and Lucene: text to tree, tree to text, tree to SQL predicate."""
