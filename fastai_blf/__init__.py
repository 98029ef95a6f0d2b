"""Train fastai models faster: spend each step on the items that still matter

A model learns little from items that it already gets right. `BatchLossFilter` finds, in each training batch, the fewest items that make up most of the batch's loss (90% unless told otherwise), and trains on those alone. Early in training that is most of the batch. Late in training it is a small part of it, and a step costs a fraction of what it did.

Modules:

- `fastai_blf.bench`: How much time the filters save, on your machine and your data
- `fastai_blf.callback`: When to choose, and how the choice enters the training step
- `fastai_blf.demo`: One command that trains a model twice, plain and filtered, and shows the difference
- `fastai_blf.fit`: What a filter borrows from a fit and gives back
- `fastai_blf.history`: Losses remembered from epoch to epoch, and the filter that chooses an epoch's items from them
- `fastai_blf.jobs`: Data and models to measure on
- `fastai_blf.losses`: One loss per item, whatever the loss function
- `fastai_blf.measure`: Clocks, fits, results kept in files, statistics and charts
- `fastai_blf.methods`: The ways to train, by name
- `fastai_blf.plots`: Seeing what was kept
- `fastai_blf.rehearsal`: Can items of this batch be left out? A trial without a trace
- `fastai_blf.selection`: Which items to keep, given their losses"""

__version__ = "0.1.0"
