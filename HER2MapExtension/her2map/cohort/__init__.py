"""The analysis of a cohort: readings and pathology in, a paper's tables and models out."""
