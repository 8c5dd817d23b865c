"""The paper's cohort, simulated from raw signals to its tables, beside the published figures."""
