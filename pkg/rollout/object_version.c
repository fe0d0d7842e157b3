/* SPDX-License-Identifier: Apache-2.0 */
/* resourceVersions grow, but go back when etcd is restored from a backup. The source (list and watch) delivers them in
 * order; the answer to our own write may come before older ones. So a low version is late only between the source's
 * last one and the one on which the write was decided; any other one is restored. */
#include "rollout/object_version.h"

#include "base/parse.h"

uint64_t hf_object_version_number(const char *text)
{
    uint64_t number = 0;

    return hf_parse_u64(text, 1, UINT64_MAX, &number) < 0 ? 0 : number;
}

static enum hf_version_age take_answer(struct hf_object_version *object, uint64_t version, uint64_t decided_on)
{
    if (version < object->shown)
        return HF_VERSION_LATE;
    if (version > object->shown)
        object->decided_on = decided_on;
    object->shown = version;
    return HF_VERSION_NEW;
}

enum hf_version_age hf_object_version_take(struct hf_object_version *object, uint64_t version, uint64_t decided_on)
{
    enum hf_version_age age = HF_VERSION_NEW;

    if (version == 0) {
        *object = (struct hf_object_version){0};
        return HF_VERSION_NEW;
    }
    if (decided_on != HF_VERSION_FROM_SOURCE)
        return take_answer(object, version, decided_on);
    if (version < object->source)
        age = HF_VERSION_REWOUND;
    else if (version < object->shown)
        /* Between the version on which a write was decided and the version that the write made, there is no other. */
        age = object->decided_on != 0 && version > object->decided_on ? HF_VERSION_REWOUND : HF_VERSION_LATE;
    object->source = version;
    if (age == HF_VERSION_LATE)
        return age;
    object->shown = version;
    object->decided_on = 0;
    return age;
}
