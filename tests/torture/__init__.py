"""Long runs of random trouble on simulated time, a function of their seed: `inv torture gsm`."""
