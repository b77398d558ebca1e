"""From an official RxNorm release to a snapshot of the drug data, and what two snapshots treat differently."""
