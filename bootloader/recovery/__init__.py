"""Serial recovery: what a technician's cable may do; nothing here runs beside a release."""
