/* sync/readiness.h - from how each release stands to the three conditions that kstatus reads. Pure.
 *
 *   Ready        True: every selected update is Committed or Incompatible. False: one is not, the reason is that one's.
 *                Unknown: the desired state has never been heard.
 *   Reconciling  present (True) while something will still happen by itself (not while what is installed is looked over).
 *   Stalled      present (True) while somebody must act: rolled back, rejected, or an object that cannot be used.
 *
 * Why is said once, by Ready: the others name release and phase and point there, unless they speak of something else. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "update/engine.h"

enum { HF_READINESS_MESSAGE = 1025, HF_READINESS_REASON = 64, HF_READINESS_NAMES = 512 };

/* Names in a sentence: "a, b, c and 4 more", as many as fit. */
struct hf_readiness_names {
    char text[HF_READINESS_NAMES];
    size_t n, left_out;
};
void hf_readiness_names_add(struct hf_readiness_names *names, const char *name);
const char *hf_readiness_names_text(struct hf_readiness_names *names); /* the text; "" none */

/* An object that was refused; strings borrowed. */
struct hf_refused {
    const char *kind;
    const char *name;
    const char *text;
};

struct hf_readiness_params {
    bool known; /* the desired state was heard once, now or in an earlier life */
    const struct hf_update_status *updates;
    size_t n_updates;
    const struct hf_refused *refused;
    size_t n_refused;
    const char *superseded;   /* names of objects that give way to another one here, "" or NULL none */
    const char *not_admitted; /* and of those that will take another one's place once they are admitted */
};

struct hf_readiness_part {
    const char *status; /* "True", "False", "Unknown" */
    char reason[HF_READINESS_REASON];
    char message[HF_READINESS_MESSAGE];
};

struct hf_readiness {
    struct hf_readiness_part ready, reconciling, stalled;
    bool is_reconciling, is_stalled;
};

void hf_readiness_judge(const struct hf_readiness_params *params, struct hf_readiness *ret_verdict);
