/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alone/impl.h"
#include "os/file.h"

static void free_wish(struct hf_alone_wish *wish)
{
    hf_alone_pod_done(&wish->pod);
    free(hf_container_of(wish, struct alone_wish, wish));
}

void alone_wishes_done(struct hf_alone *alone)
{
    for (size_t i = 0; i < alone->n_wishes; i++)
        free_wish(alone->wishes[i]);
    alone->n_wishes = alone->n_refused = 0;
}

static void make_key(const struct hf_alone_file *files, size_t n, unsigned char key[static HF_SHA256_BYTES])
{
    struct hf_sha256 hash;

    hf_sha256_init(&hash);
    for (size_t i = 0; i < n; i++) {
        hf_sha256_update(&hash, files[i].entry, strlen(files[i].entry) + 1);
        hf_sha256_update(&hash, files[i].path, strlen(files[i].path) + 1);
        hf_sha256_update(&hash, files[i].sha256, sizeof(files[i].sha256));
    }
    hf_sha256_final(&hash, key);
}

/* 0, or an error for which the set must wait: the file is not the one that the agent placed. */
static int read_file(struct hf_alone *alone, const struct hf_alone_file *file, struct hf_buf *text)
{
    unsigned char sha256[HF_SHA256_BYTES];
    int r = hf_file_read(alone->p.world.fs, file->path, text, NULL);

    if (r < 0)
        return r;
    hf_sha256_of(text->n > 0 ? text->p : "", text->n, sha256, sizeof(sha256));
    return memcmp(sha256, file->sha256, sizeof(sha256)) == 0 ? 0 : -ESTALE;
}

static int make_wish(struct hf_alone *alone, const struct hf_alone_file *file, struct hf_view text,
                     struct hf_alone_wish **ret_wish, struct hf_err *err)
{
    _cleanup_(hf_json_freep) json_t *manifest = NULL;
    char volumes[1024];
    const struct hf_alone_site site = {
        .entry = file->entry,
        .volumes = volumes,
        .cgroup_parent = hf_alone_place_cgroup_parent(alone->p.world.fs, alone->place),
    };
    struct alone_wish *made;
    int r = hf_yaml_parse(text, NULL, &manifest, err);

    if (r < 0)
        return r;
    made = calloc(1, sizeof(*made));
    if (made == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    (void)snprintf(volumes, sizeof(volumes), "%s/volumes", alone->folder);
    r = hf_alone_translate(manifest, &site, &made->wish.pod, err);
    if (r < 0) {
        free(made);
        return r;
    }
    (void)snprintf(made->entry, sizeof(made->entry), "%s", file->entry);
    (void)snprintf(made->wish.twin, sizeof(made->wish.twin), "%.253s-%.62s", made->wish.pod.name, alone->p.node_name);
    *ret_wish = &made->wish;
    return 0;
}

static void keep_retries(const struct hf_alone *alone, struct hf_alone_wish *wish)
{
    for (size_t i = 0; i < alone->n_wishes; i++)
        if (strcmp(alone->wishes[i]->pod.uid, wish->pod.uid) == 0)
            memcpy(wish->retry, alone->wishes[i]->retry, sizeof(wish->retry));
}

static bool is_double(struct hf_alone_wish *const *wishes, size_t n, const struct hf_alone_wish *wish)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(wishes[i]->pod.uid, wish->pod.uid) == 0)
            return true;
    return false;
}

struct wishes_reading {
    struct hf_alone_wish *wishes[ALONE_MAX_PODS];
    struct alone_note refused[ALONE_MAX_PODS];
    size_t n_wishes, n_refused;
};

static void refuse(struct wishes_reading *reading, const struct hf_alone_file *file, const struct hf_err *err)
{
    const char *name = strrchr(file->path, '/');
    struct alone_note *note = &reading->refused[reading->n_refused++];
    char text[ALONE_MESSAGE];

    (void)snprintf(note->entry, sizeof(note->entry), "%s", file->entry);
    (void)snprintf(note->message, sizeof(note->message), "%.60s: %.180s", name != NULL ? name + 1 : file->path,
                   hf_err_text(err, text, sizeof(text)));
}

static int read_one(struct hf_alone *alone, const struct hf_alone_file *file, struct wishes_reading *reading)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(HF_JSON_MAX_BYTES);
    struct hf_alone_wish *wish = NULL;
    struct hf_err err = HF_ERR_INIT;
    int r = read_file(alone, file, &text);

    if (r < 0)
        return r;
    r = make_wish(alone, file, hf_buf_view(&text), &wish, &err);
    if (r == -ENOMEM)
        return r;
    if (r < 0) {
        refuse(reading, file, &err);
    } else if (is_double(reading->wishes, reading->n_wishes, wish)) {
        free_wish(wish);
    } else {
        keep_retries(alone, wish);
        reading->wishes[reading->n_wishes++] = wish;
    }
    return 0;
}

/* One pod of an entry that cannot run refuses the entry: half of what belongs together helps nobody. */
static void drop_refused(struct wishes_reading *reading)
{
    size_t kept = 0;

    for (size_t i = 0; i < reading->n_wishes; i++) {
        const struct alone_wish *one = hf_container_of(reading->wishes[i], struct alone_wish, wish);
        bool is_refused = false;
        for (size_t k = 0; k < reading->n_refused; k++)
            is_refused = is_refused || strcmp(reading->refused[k].entry, one->entry) == 0;
        if (is_refused)
            free_wish(reading->wishes[i]);
        else
            reading->wishes[kept++] = reading->wishes[i];
    }
    reading->n_wishes = kept;
}

/* True: *alone has the wishes of these files now. */
bool alone_wishes_read(struct hf_alone *alone, const struct hf_alone_file *files, size_t n)
{
    unsigned char key[HF_SHA256_BYTES];
    struct wishes_reading *reading;
    int r = 0;

    make_key(files, n, key);
    if (alone->is_set && memcmp(key, alone->key, sizeof(key)) == 0)
        return true;
    reading = calloc(1, sizeof(*reading));
    if (reading == NULL)
        return false;
    for (size_t i = 0; i < HF_MIN(n, (size_t)ALONE_MAX_PODS) && r == 0; i++)
        r = read_one(alone, &files[i], reading);
    if (r < 0) {
        for (size_t i = 0; i < reading->n_wishes; i++)
            free_wish(reading->wishes[i]);
        free(reading);
        return false;
    }
    drop_refused(reading);
    alone_wishes_done(alone);
    memcpy(alone->wishes, reading->wishes, sizeof(alone->wishes));
    memcpy(alone->refused, reading->refused, sizeof(alone->refused));
    alone->n_wishes = reading->n_wishes;
    alone->n_refused = reading->n_refused;
    memcpy(alone->key, key, sizeof(key));
    alone->is_set = true;
    free(reading);
    return true;
}
