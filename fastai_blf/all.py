"What a user imports: `from fastai_blf.all import *`"
from .losses import item_losses
from .selection import top_losses,random_items,sample_by_rank,skip_hardest
from .callback import BatchLossFilter
from .history import LossHistory
from .epochs import EpochLossFilter,RandomFilter
from . import plots as _plots, suspects as _suspects # methods of the callbacks
