"""Train fastai models faster: spend each step on the items that still matter

A model learns little from items that it already gets right. This package has two callbacks for fastai that leave such items out of training. `EpochLossFilter` remembers each item's loss and chooses an epoch's items before they are loaded. `BatchLossFilter` looks at each batch and trains on the fewest items that make up most of its loss; it does so only where that saves time, and is plain training, bit for bit, until then.

Modules:

- `fastai_blf.bench`: How much time the filters save, on your machine and your data
- `fastai_blf.callback`: When to choose, and how the choice enters the training step
- `fastai_blf.demo`: One command that trains a model with and without the filters, and says what came out
- `fastai_blf.epochs`: The filter that chooses an epoch's items by the losses remembered of them
- `fastai_blf.fit`: What a filter borrows from a fit and gives back
- `fastai_blf.history`: Losses remembered from epoch to epoch
- `fastai_blf.jobs`: Data and models to measure on
- `fastai_blf.judge`: A look that costs little: a head on the first part of the model
- `fastai_blf.losses`: One loss per item, whatever the loss function
- `fastai_blf.measure`: Clocks, fits, results kept in files, statistics and charts
- `fastai_blf.methods`: The ways to train, by name
- `fastai_blf.plots`: Seeing what was kept
- `fastai_blf.rehearsal`: Can items of this batch be left out? A trial without a trace
- `fastai_blf.selection`: Which items to keep, given their losses
- `fastai_blf.suspects`: Wrong labels and hard items, found while training
- `fastai_blf.traces`: What a trial may change in a model, a loss or callbacks, and in random numbers, is put back"""

__version__ = "0.1.0"
