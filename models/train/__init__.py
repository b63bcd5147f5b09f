"""The training recipe of `telephony_8k`: data, model, training, export and evaluation."""
