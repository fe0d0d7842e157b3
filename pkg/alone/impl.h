/* SPDX-License-Identifier: Apache-2.0 */
/* Internal to pkg/alone. */
#pragma once

#include "alone/alone.h"
#include "alone/places.h"

enum { ALONE_MAX_PODS = 64, ALONE_MESSAGE = 256 };

#define ALONE_UNIT "holdfast-alone-runtime.service"

struct alone_wish {
    struct hf_alone_wish wish;
    char entry[64];
};

/* Why an entry's pod does not run. */
struct alone_note {
    char entry[64], message[ALONE_MESSAGE];
};

struct hf_alone {
    struct hf_alone_params p;
    char *folder; /* <state>/alone */
    const struct hf_alone_place *place;
    char socket[256];
    char no_place[ALONE_MESSAGE]; /* why `place` is NULL */

    struct hf_alone_wish *wishes[ALONE_MAX_PODS]; /* each in a struct alone_wish */
    size_t n_wishes;
    struct alone_note refused[ALONE_MAX_PODS];
    size_t n_refused;
    unsigned char key[HF_SHA256_BYTES];
    size_t n_running;
    bool is_set;
    bool missed;

    bool marked; /* <state>/alone exists */
    bool own_runtime, other_runtime;
    bool own_loaded;
    uint64_t started_ns, seen_ns; /* seen_ns: when a kubelet was last seen; 0: never */
    uint64_t handover_ns;         /* since when both containerds want to run, or 0 */
    enum hf_alone_presence presence;
    struct hf_listing listing;
    uint64_t listed_ns;
    char failure[ALONE_MESSAGE];
    unsigned listing_failures;

    struct hf_timer *timer;
    bool asked_six;
    bool busy; /* in a tick: one of these calls runs: */
    struct hf_probe_call *probing;
    struct hf_unit_call *asking;
    struct hf_proc_call *running;
    struct hf_alone_step step;
    void (*acted)(struct hf_alone *alone, bool ok, struct hf_view output);
};

/* Does the step (run.c), and calls alone->acted() at its end, perhaps before the return. */
void alone_act(struct hf_alone *alone, const struct hf_alone_step *step);
/* Reads the files (wishes.c). False: no file with its hash, or no memory; the wishes stay. */
bool alone_wishes_read(struct hf_alone *alone, const struct hf_alone_file *files, size_t n);
void alone_wishes_done(struct hf_alone *alone);
