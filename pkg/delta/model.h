/* delta/model.h - the small profile's model: how the bytes of new are coded, given old, the match map and what is known of
 * the image. The same code encodes and decodes, so the two cannot disagree.
 *
 * One model serves one block at a time; delta_model_reset() makes it as new. Memory: sizeof(struct delta_model), fixed. */
#pragma once

#include "delta/cm.h"
#include "delta/predict.h"

struct delta_model;

HF_MUST_USE int delta_setting_code(struct delta_cm *cm, struct delta_setting *setting, struct hf_err *err);

struct delta_make;
struct delta_memory;

/* The setting as the first part of a body. Free it with delta_setting_done(), on failure too. */
HF_MUST_USE int delta_setting_read(struct delta_run *run, struct delta_setting *setting, struct hf_err *err);
/* `memory` becomes the reader of old; it must live as long as the setting. */
HF_MUST_USE int delta_setting_make(const struct delta_make *make, struct delta_memory *memory,
                                   struct delta_setting *setting, struct hf_buf *body, struct hf_err *err);

/* A coded part with its length in front. */
HF_MUST_USE int delta_part_open(struct delta_run *run, struct delta_cm *cm, struct hf_err *err);
HF_MUST_USE int delta_part_add(struct hf_buf *body, const struct hf_buf *part);

enum { DELTA_PIECE = 1024 }; /* of many literals, which may stand as they are */

/* How a block is coded; for decoding, all is 0. */
struct delta_manner {
    bool quick;                                         /* it shall apply sooner, and may take some more room */
    uint32_t plain_n;                                   /* pieces that stand as they are: */
    unsigned char plain[DELTA_BLOCK / DELTA_PIECE / 8]; /* a bit for each, in their order */
};

struct delta_model *delta_model_new(struct delta_setting *setting);
void delta_model_free(struct delta_model *model);
/* Encoding, `*manner` lives until the block is coded; pieces that would better have stood as they are are added to it. */
void delta_model_reset(struct delta_model *model, struct delta_manner *manner);

/* Code new[start..end): encoding takes the bytes from `truth` (new[start]), decoding gives them to `output`.
 * `copies` are all copies of the encoder; *next the first that reaches into the block. */
HF_MUST_USE int delta_model_code(struct delta_model *model, struct delta_cm *cm, uint64_t start, uint64_t end,
                                 const unsigned char *truth, const struct delta_copies *copies,
                                 struct delta_output *output, struct hf_err *err);
