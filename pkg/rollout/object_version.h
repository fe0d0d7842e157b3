/* SPDX-License-Identifier: Apache-2.0 */
/* rollout/object_version.h - decides if a version of an object is newer than the version that the engine has. Pure.
 *
 * The resourceVersions of one object only grow, with one exception: after etcd is restored from a backup, they go back
 * and grow again from there. Versions come from two sides. The source (list and watch) delivers the versions of an
 * object in order. The answer to a write of our own may come before the source delivers that version, so the source may
 * deliver older versions after the answer. Therefore a low version from the source is only late if it is between the
 * source's last version and the version on which the write was decided. Each other low version comes from a restored
 * store. */
#pragma once

#include <stdint.h>

/* value of `decided_on` for a version that the source delivered */
#define HF_VERSION_FROM_SOURCE UINT64_MAX

/* The versions of one object, as numbers; 0 means none, or one that is not a number. */
struct hf_object_version {
    uint64_t shown;  /* the version that the engine has */
    uint64_t source; /* the last version that the source delivered */
    /* if `shown` comes from an answer to a write: the version on which that write was decided; otherwise 0 */
    uint64_t decided_on;
};

enum hf_version_age {
    HF_VERSION_NEW,  /* take the object */
    HF_VERSION_LATE, /* ignore the object: the engine has a newer version */
    /* take the object: the store was restored from a backup, so a write that was decided before can no longer change
     * the object */
    HF_VERSION_REWOUND,
};

/* Returns metadata.resourceVersion as a number, or 0 if the text is not a number above 0. */
uint64_t hf_object_version_number(const char *text);

/* Records that this version has come. `decided_on` is HF_VERSION_FROM_SOURCE, or, for the object in the answer to a
 * write, the version on which this write was decided. A version that is not a number (0) is always new. */
enum hf_version_age hf_object_version_take(struct hf_object_version *object, uint64_t version, uint64_t decided_on);
