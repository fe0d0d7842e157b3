/* SPDX-License-Identifier: Apache-2.0 */
#include "alone/listing.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alone/translate.h"

/* Without what crictl may have said around it on stderr. */
static struct hf_view object_in(struct hf_view text)
{
    while (text.n > 0 && text.p[0] != '{') {
        text.p++;
        text.n--;
    }
    while (text.n > 0 && text.p[text.n - 1] != '}')
        text.n--;
    return text;
}

int hf_listing_parse(struct hf_view text, const char *key, json_t **ret_root, const json_t **ret_items,
                     struct hf_err *err)
{
    int r = hf_json_parse(object_in(text), NULL, ret_root, err);

    if (r < 0)
        return hf_err_wrap(err, r, "answer of crictl");
    *ret_items = json_object_get(*ret_root, key);
    bool absent = *ret_items == NULL || json_is_null(*ret_items);
    return json_is_object(*ret_root) && (absent || json_is_array(*ret_items))
               ? 0
               : hf_err_set(err, EBADMSG, "answer of crictl: expected a list '%s'", key);
}

static int parse(struct hf_view text, const char *key, json_t **ret_root, const json_t **ret_items, struct hf_err *err)
{
    int r = hf_listing_parse(text, key, ret_root, ret_items, err);

    if (r == 0 && json_array_size(*ret_items) > HF_LISTING_MAX)
        return hf_err_set(err, E2BIG, "answer of crictl: more than %d in '%s'", HF_LISTING_MAX, key);
    return r;
}

/* False: too long, or absent. */
static bool copy(char *to, size_t n, const json_t *item, const char *path)
{
    const char *from = hf_json_str(item, path);

    return from != NULL && from[0] != '\0' && from[0] != '-' && (size_t)snprintf(to, n, "%s", from) < n;
}

static bool sandbox_of(const json_t *item, struct hf_listed_sandbox *to)
{
    to->ready = strcmp(hf_json_str_or(item, "state", ""), "SANDBOX_READY") == 0;
    /* the label has dots, which hf_json_at() would read as a path */
    to->ours = json_is_string(json_object_get(json_object_get(item, "labels"), HF_ALONE_LABEL));
    return copy(to->id, sizeof(to->id), item, "id") && copy(to->uid, sizeof(to->uid), item, "metadata.uid") &&
           copy(to->name, sizeof(to->name), item, "metadata.name") &&
           copy(to->space, sizeof(to->space), item, "metadata.namespace");
}

static bool container_of(const json_t *item, struct hf_listed_container *to)
{
    const char *state = hf_json_str_or(item, "state", "");

    to->state = strcmp(state, "CONTAINER_RUNNING") == 0   ? HF_LISTED_RUNNING
                : strcmp(state, "CONTAINER_CREATED") == 0 ? HF_LISTED_CREATED
                                                          : HF_LISTED_EXITED;
    return copy(to->id, sizeof(to->id), item, "id") && copy(to->sandbox, sizeof(to->sandbox), item, "podSandboxId") &&
           copy(to->name, sizeof(to->name), item, "metadata.name");
}

int hf_listing_take_sandboxes(struct hf_listing *listing, struct hf_view text, struct hf_err *err)
{
    _cleanup_(hf_json_freep) json_t *root = NULL;
    const json_t *items = NULL;
    int r = parse(text, "items", &root, &items, err);
    size_t n = 0;

    if (r < 0)
        return r;
    struct hf_listed_sandbox *found = calloc(json_array_size(items) + 1, sizeof(*found));
    if (found == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    for (size_t i = 0; i < json_array_size(items); i++)
        if (sandbox_of(json_array_get(items, i), &found[n]))
            n++;
    free(listing->sandboxes);
    listing->sandboxes = found;
    listing->n_sandboxes = n;
    return 0;
}

int hf_listing_take_containers(struct hf_listing *listing, struct hf_view text, struct hf_err *err)
{
    _cleanup_(hf_json_freep) json_t *root = NULL;
    const json_t *items = NULL;
    int r = parse(text, "containers", &root, &items, err);
    size_t n = 0;

    if (r < 0)
        return r;
    struct hf_listed_container *found = calloc(json_array_size(items) + 1, sizeof(*found));
    if (found == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    for (size_t i = 0; i < json_array_size(items); i++)
        if (container_of(json_array_get(items, i), &found[n]))
            n++;
    free(listing->containers);
    listing->containers = found;
    listing->n_containers = n;
    return 0;
}

void hf_listing_done(struct hf_listing *listing)
{
    free(listing->sandboxes);
    free(listing->containers);
    *listing = (struct hf_listing){.n_sandboxes = 0};
}
