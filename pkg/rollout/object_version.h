/* SPDX-License-Identifier: Apache-2.0 */
/* Decides whether a version of an object is newer than the engine's. Pure. */
#pragma once

#include <stdint.h>

/* `decided_on` of an object from list or watch */
#define HF_VERSION_FROM_SOURCE UINT64_MAX

struct hf_object_version {
    uint64_t shown;      /* present version */
    uint64_t source;     /* last from list or watch */
    uint64_t decided_on; /* if our write made `shown`: the version it was decided on */
};

enum hf_version_age {
    HF_VERSION_NEW,     /* take it */
    HF_VERSION_LATE,    /* ignore it */
    HF_VERSION_REWOUND, /* take it: restored, so earlier writes no longer matter */
};

/* Returns 0 for a text that is no number above 0. */
uint64_t hf_object_version_number(const char *text);

/* `decided_on`: the version that an answered write was decided on, or HF_VERSION_FROM_SOURCE. A `version` of 0 is
 * always new. */
enum hf_version_age hf_object_version_take(struct hf_object_version *object, uint64_t version, uint64_t decided_on);
