"""Commands of ``goengine`` that are about the installation: bench, doctor, nets, warmup."""
