/* SPDX-License-Identifier: Apache-2.0 */
#include "mirror/tags.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "codec/json.h"
#include "mirror/request.h"

void hf_mirror_tags_done(struct hf_mirror_tags *tags)
{
    for (size_t i = 0; i < tags->n; i++)
        free(tags->items[i].image);
    free(tags->items);
    *tags = (struct hf_mirror_tags){.n = 0};
}

static struct hf_mirror_tag *find(const struct hf_mirror_tags *tags, const char *image)
{
    for (size_t i = 0; i < tags->n; i++)
        if (strcmp(tags->items[i].image, image) == 0)
            return &tags->items[i];
    return NULL;
}

/* Takes over `image`. */
static int add(struct hf_mirror_tags *tags, char *image, const char *sha256, uint64_t seen_unix_s)
{
    struct hf_mirror_tag *tag = &tags->items[0];

    if (tags->n < HF_MIRROR_TAGS) {
        int r = hf_array_grow(tags->items, tags->n, tags->cap, HF_MIRROR_TAGS);
        if (r < 0) {
            free(image);
            return r;
        }
        tag = &tags->items[tags->n++];
    } else {
        for (size_t i = 1; i < tags->n; i++)
            if (tags->items[i].seen_unix_s < tag->seen_unix_s)
                tag = &tags->items[i];
        free(tag->image);
    }
    *tag = (struct hf_mirror_tag){.image = image, .seen_unix_s = seen_unix_s};
    memcpy(tag->sha256, sha256, HF_SHA256_HEX);
    return 0;
}

static char *image_of(const struct hf_mirror_request *request)
{
    return hf_asprintf("%s/%s:%s", request->registry, request->name, request->reference);
}

int hf_mirror_tags_put(struct hf_mirror_tags *tags, const struct hf_mirror_request *request, const char *sha256,
                       uint64_t now_unix_s)
{
    char *image = image_of(request);
    struct hf_mirror_tag *tag = image != NULL ? find(tags, image) : NULL;

    if (image == NULL)
        return -ENOMEM;
    if (tag == NULL) {
        int r = add(tags, image, sha256, now_unix_s);
        return r < 0 ? r : 1;
    }
    free(image);
    bool other = strcmp(tag->sha256, sha256) != 0, back = now_unix_s < tag->seen_unix_s;
    uint64_t off_s = back ? tag->seen_unix_s - now_unix_s : now_unix_s - tag->seen_unix_s;
    if (!other && off_s < HF_MIRROR_TAG_AGE_S)
        return 0;
    memcpy(tag->sha256, sha256, HF_SHA256_HEX);
    tag->seen_unix_s = now_unix_s;
    return 1;
}

const struct hf_mirror_tag *hf_mirror_tags_find(const struct hf_mirror_tags *tags,
                                                const struct hf_mirror_request *request, uint64_t now_unix_s,
                                                uint64_t within_s)
{
    _cleanup_(hf_freep) char *image = image_of(request);
    const struct hf_mirror_tag *tag = image != NULL ? find(tags, image) : NULL;

    return tag != NULL && (now_unix_s < tag->seen_unix_s || now_unix_s - tag->seen_unix_s <= within_s) ? tag : NULL;
}

int hf_mirror_tags_format(const struct hf_mirror_tags *tags, struct hf_buf *out)
{
    _cleanup_(hf_json_freep) json_t *list = json_array();

    for (size_t i = 0; i < tags->n && list != NULL; i++) {
        const struct hf_mirror_tag *tag = &tags->items[i];
        if (json_array_append_new(list, json_pack("{s:s, s:s, s:I}", "image", tag->image, "sha256", tag->sha256, "seen",
                                                  (json_int_t)tag->seen_unix_s)) < 0)
            return -ENOMEM;
    }
    return list != NULL ? hf_json_format(list, out) : -ENOMEM;
}

int hf_mirror_tags_parse(struct hf_mirror_tags *tags, struct hf_view text, struct hf_err *err)
{
    _cleanup_(hf_json_freep) json_t *list = NULL;
    json_t *item;
    size_t i;
    int r = hf_json_parse(text, NULL, &list, err);

    if (r < 0)
        return r;
    if (!json_is_array(list))
        return hf_err_set(err, EBADMSG, "expected a list of tags");
    json_array_foreach(list, i, item) {
        const char *image = hf_json_str(item, "image"), *sha256 = hf_json_str_or(item, "sha256", "");
        char digest[8 + HF_SHA256_HEX], hex[HF_SHA256_HEX];
        int64_t seen = hf_json_int_or(item, "seen", -1);
        (void)snprintf(digest, sizeof(digest), "sha256:%.65s", sha256);
        if (image == NULL || seen < 0 || !hf_mirror_digest(hf_view_of(digest), hex) || find(tags, image) != NULL)
            continue;
        char *copy = strdup(image);
        r = copy != NULL ? add(tags, copy, hex, (uint64_t)seen) : -ENOMEM;
        if (r < 0)
            return hf_err_set(err, ENOMEM, "not enough memory for tags");
    }
    return 0;
}
