/* SPDX-License-Identifier: Apache-2.0 */
/* A container names its image by the hash of the image's configuration, or by one of its names. The images have the
 * digests under which they were pulled or imported: names, and an archive may say what it likes. So an image is listed
 * if one of its digests is, and leads to its configuration, which names all else by hash. */
#include "agent/images/running.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alone/listing.h"
#include "codec/json.h"

struct judging {
    const json_t *images;
    signed char *verdicts; /* of each image: 0 until it is asked for, then 1, or -1 */
    bool (*has)(void *arg, const char *digest, const char *id);
    void *arg;
};

static bool names(const json_t *list, const char *text)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *name = json_string_value(json_array_get(list, i));
        if (name != NULL && strcmp(name, text) == 0)
            return true;
    }
    return false;
}

static bool is_listed(const struct judging *judging, const json_t *image)
{
    const json_t *digests = json_object_get(image, "repoDigests");

    for (size_t i = 0; i < json_array_size(digests); i++) {
        const char *name = json_string_value(json_array_get(digests, i));
        const char *at = name != NULL ? strrchr(name, '@') : NULL;
        if (at != NULL && judging->has(judging->arg, at + 1, hf_json_str_or(image, "id", "")))
            return true;
    }
    return false;
}

static bool is_listed_once(const struct judging *judging, size_t i)
{
    if (judging->verdicts[i] == 0)
        judging->verdicts[i] = is_listed(judging, json_array_get(judging->images, i)) ? 1 : -1;
    return judging->verdicts[i] > 0;
}

/* One whose image is gone from the store is not listed: nobody knows what it runs. */
static bool runs_listed(const struct judging *judging, const char *ref)
{
    for (size_t i = 0; i < json_array_size(judging->images); i++) {
        const json_t *image = json_array_get(judging->images, i);
        if (strcmp(hf_json_str_or(image, "id", ""), ref) == 0 || names(json_object_get(image, "repoDigests"), ref) ||
            names(json_object_get(image, "repoTags"), ref))
            return is_listed_once(judging, i);
    }
    return false;
}

int hf_images_running_judge(struct hf_view images, struct hf_view containers,
                            bool (*has)(void *arg, const char *digest, const char *id), void *arg,
                            struct hf_images_running *ret, struct hf_err *err)
{
    _cleanup_(hf_json_freep) json_t *image_root = NULL, *container_root = NULL;
    struct judging judging = {.has = has, .arg = arg};
    const json_t *list = NULL;
    int r = hf_listing_parse(images, "images", &image_root, &judging.images, err);

    if (r == 0)
        r = hf_listing_parse(containers, "containers", &container_root, &list, err);
    if (r < 0)
        return r;
    _cleanup_(hf_freep) signed char *verdicts = judging.verdicts = calloc(json_array_size(judging.images) + 1, 1);
    if (verdicts == NULL)
        return hf_err_sys(err, -ENOMEM, "compare containers with the list");
    *ret = (struct hf_images_running){.n = 0};
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *container = json_array_get(list, i);
        const char *ref = hf_json_str_or(container, "imageRef", "");
        if (runs_listed(&judging, ref))
            continue;
        if (ret->n++ == 0)
            (void)snprintf(ret->first, sizeof(ret->first), "'%.63s' runs '%.150s'",
                           hf_json_str_or(container, "metadata.name", "?"),
                           hf_json_str_or(container, "image.image", ref));
    }
    return 0;
}
