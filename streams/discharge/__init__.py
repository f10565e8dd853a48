"""What is let out: limits by permit, standard and date; loads, quotas, outlets, odour and ozone-forming potential."""
