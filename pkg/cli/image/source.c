/* SPDX-License-Identifier: Apache-2.0 */
/* Three places, one rule: a blob is found by its digest. In a layout it is a file, in an archive a member (by name, or,
 * where `docker save` wrote names of its own, by the hash of what manifest.json lists), in a registry a download. An
 * archive without an index gets the manifest that its manifest.json describes. */
#include "cli/image/source.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/array.h"
#include "base/net/host.h"
#include "cli/parts.h"
#include "delta/delta.h"
#include "oci/registry/challenge.h"
#include "os/file.h"
#include "pack/tar/tar_read.h"

enum { MAX_LOGINS = 1 << 20, MAX_PEM = 1 << 20, PIECE = 1 << 20, MAX_MEMBERS = 4096 };
#define MAX_ARCHIVE ((size_t)HF_MIN((uint64_t)64 << 30, (uint64_t)SIZE_MAX))

struct member {
    char *name;
    char digest[HF_OCI_DIGEST]; /* "": not known */
    uint64_t offset, size;
};

struct hf_cli_image {
    struct hf_cli *cli;
    char *folder; /* an OCI layout, or NULL */
    struct hf_cli_map archive;
    struct member *members;
    size_t members_n, members_cap;
    struct hf_oci_registry *registry; /* or NULL */
    struct hf_oci_reference reference;
    struct hf_cli_image_text root;
    bool is_index;
    struct hf_cli_image_platform *platforms;
    size_t platforms_n;
};

struct hf_oci_registry *hf_cli_image_in_registry(struct hf_cli_image *image)
{
    return image->registry;
}

const struct hf_oci_reference *hf_cli_image_reference(const struct hf_cli_image *image)
{
    return &image->reference;
}

const struct hf_cli_image_text *hf_cli_image_root(const struct hf_cli_image *image)
{
    return &image->root;
}

bool hf_cli_image_is_index(const struct hf_cli_image *image)
{
    return image->is_index;
}

const struct hf_cli_image_platform *hf_cli_image_platforms(const struct hf_cli_image *image, size_t *ret_n)
{
    *ret_n = image->platforms_n;
    return image->platforms;
}

void hf_cli_image_free(struct hf_cli_image *image)
{
    if (image == NULL)
        return;
    for (size_t i = 0; i < image->platforms_n; i++) {
        hf_buf_done(&image->platforms[i].manifest.text);
        hf_oci_manifest_done(&image->platforms[i].parsed);
    }
    for (size_t i = 0; i < image->members_n; i++)
        free(image->members[i].name);
    free(image->platforms);
    free(image->members);
    hf_buf_done(&image->root.text);
    hf_cli_map_done(&image->archive);
    hf_oci_registry_free(image->registry);
    free(image->folder);
    free(image);
}

/* ---- registries -------------------------------------------------------------------------------------------------- */

int hf_cli_image_access_init(struct hf_cli *cli, const struct hf_cli_args *args, struct hf_buf *ca,
                             struct hf_cli_image_access *ret, struct hf_err *err)
{
    const char *ca_file = hf_cli_value(args, "ca-file", NULL), *authfile = hf_cli_value(args, "authfile", NULL);
    const char *folder = getenv("DOCKER_CONFIG"), *home = getenv("HOME");
    _cleanup_(hf_freep) char *usual = folder != NULL ? hf_asprintf("%s/config.json", folder)
                                                     : hf_asprintf("%s/.docker/config.json", home != NULL ? home : "");
    int r = 0;

    *ret = (struct hf_cli_image_access){.logins = HF_BUF_INIT(MAX_LOGINS)};
    *ca = (struct hf_buf)HF_BUF_INIT(MAX_PEM);
    if (usual == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    if (ca_file != NULL)
        r = hf_cli_read_whole(cli, ca_file, ca, err);
    if (r == 0 && ca_file != NULL)
        ret->ca_pem = hf_buf_str(ca);
    if (r == 0 && (authfile != NULL || access(usual, F_OK) == 0))
        r = hf_cli_read_whole(cli, authfile != NULL ? authfile : usual, &ret->logins, err);
    return r;
}

int hf_cli_image_registry(const struct hf_cli_image_access *access, const struct hf_oci_reference *reference,
                          struct hf_oci_registry **ret, struct hf_err *err)
{
    _cleanup_(hf_buf_wipe) struct hf_buf login = HF_BUF_INIT(1 << 16);
    char host[HF_OCI_HOST], origin[HF_OCI_HOST + 32];
    int r = 0;

    (void)snprintf(host, sizeof(host), "%s", reference->host);
    char *port = strrchr(host, ':');
    if (port != NULL && strchr(port, ']') == NULL)
        *port = '\0';
    if (access->logins.n > 0)
        r = hf_oci_login_find(hf_buf_view(&access->logins), hf_oci_login_host(reference->host), &login, err);
    if (r < 0)
        return hf_err_wrap(err, r, "the file of logins");
    /* Without TLS only on this machine, where a CA file says otherwise. */
    bool plain = access->ca_pem == NULL && hf_host_is_loopback(hf_view_of(host));
    const struct hf_oci_registry_config config = {.origin =
                                                      hf_oci_reference_origin(reference, plain, origin, sizeof(origin)),
                                                  .login = r > 0 ? hf_buf_str(&login) : NULL,
                                                  .ca_pem = access->ca_pem,
                                                  .user_agent = "holdfast/" HF_VERSION};
    *ret = hf_oci_registry_new(&config, err);
    return *ret != NULL ? 0 : -err->code;
}

/* ---- blobs ------------------------------------------------------------------------------------------------------- */

static int check(const struct hf_oci_descriptor *blob, const void *bytes, size_t n, struct hf_err *err)
{
    char digest[HF_OCI_DIGEST];

    if (n != blob->size)
        return hf_err_set(err, EBADMSG, "blob '%s' has %zu bytes, not %llu", blob->digest, n,
                          (unsigned long long)blob->size);
    if (strcmp(hf_oci_digest_of(bytes, n, digest), blob->digest) != 0)
        return hf_err_set(err, EBADMSG, "blob '%s' is damaged: its digest is %s", blob->digest, digest);
    return 0;
}

static struct member *find_member(const struct hf_cli_image *image, const char *name)
{
    for (size_t i = 0; i < image->members_n; i++)
        if (strcmp(image->members[i].name, name) == 0)
            return &image->members[i];
    return NULL;
}

static const struct member *find_blob(const struct hf_cli_image *image, const char *digest)
{
    for (size_t i = 0; i < image->members_n; i++)
        if (strcmp(image->members[i].digest, digest) == 0)
            return &image->members[i];
    return NULL;
}

static int local_blob(struct hf_cli_image *image, const struct hf_oci_descriptor *blob, struct hf_cli_map *ret_map,
                      const void **ret_bytes, size_t *ret_n, struct hf_err *err)
{
    if (image->folder == NULL) {
        const struct member *member = find_blob(image, blob->digest);
        if (member == NULL)
            return hf_err_set(err, ENOENT, "the archive has no blob '%s'", blob->digest);
        *ret_bytes = (const char *)image->archive.p + member->offset;
        *ret_n = (size_t)member->size;
        return 0;
    }
    _cleanup_(hf_freep) char *path = hf_asprintf("%s/blobs/sha256/%s", image->folder, blob->digest + 7);
    int r = path != NULL ? hf_cli_map_open(image->cli, path, MAX_ARCHIVE, ret_map, err)
                         : hf_err_set(err, ENOMEM, "out of memory");
    *ret_bytes = ret_map->p;
    *ret_n = ret_map->n;
    return r;
}

int hf_cli_image_blob(struct hf_cli_image *image, const struct hf_oci_descriptor *blob, struct hf_cli_scratch *scratch,
                      struct hf_err *err)
{
    _cleanup_(hf_cli_map_done) struct hf_cli_map map = {.p = NULL};
    const void *bytes = NULL;
    size_t n = 0;

    if (image->registry != NULL) {
        const struct hf_oci_blob_sink sink = {scratch, hf_cli_scratch_write};
        return hf_oci_registry_blob(image->registry, image->reference.repository, blob, &sink, err);
    }
    int r = local_blob(image, blob, &map, &bytes, &n, err);
    if (r == 0)
        r = check(blob, bytes, n, err);
    if (r == 0)
        r = hf_cli_scratch_write(scratch, bytes, n);
    return r;
}

/* A manifest, an index or a configuration. */
static int read_text(struct hf_cli_image *image, const struct hf_oci_descriptor *at, bool manifest, struct hf_buf *out,
                     struct hf_err *err)
{
    _cleanup_(hf_cli_map_done) struct hf_cli_map map = {.p = NULL};
    _cleanup_(hf_cli_scratch_done) struct hf_cli_scratch scratch = HF_CLI_SCRATCH_INIT;
    struct hf_oci_descriptor ignored;
    int r;

    *out = (struct hf_buf)HF_BUF_INIT(HF_OCI_JSON_MAX);
    if (manifest && image->registry != NULL)
        return hf_oci_registry_manifest(image->registry, image->reference.repository, at->digest, out, &ignored, err);
    if (at->size > HF_OCI_JSON_MAX)
        return hf_err_set(err, E2BIG, "'%s' is larger than %d bytes", at->digest, HF_OCI_JSON_MAX);
    r = hf_cli_scratch_open(&scratch, err);
    if (r == 0)
        r = hf_cli_image_blob(image, at, &scratch, err);
    if (r == 0)
        r = hf_cli_scratch_map(&scratch, &map, err);
    if (r == 0 && hf_buf_add(out, map.p, map.n) < 0)
        r = hf_err_set(err, ENOMEM, "out of memory");
    return r;
}

/* ---- platforms --------------------------------------------------------------------------------------------------- */

static int platform_of_config(struct hf_cli_image *image, const struct hf_oci_descriptor *config,
                              char name[static HF_OCI_PLATFORM], struct hf_err *err)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(0);
    _cleanup_(hf_json_freep) json_t *json = NULL;
    int r = read_text(image, config, false, &text, err);

    if (r == 0)
        r = hf_json_parse(hf_buf_view(&text), NULL, &json, err);
    if (r < 0)
        return hf_err_wrap(err, r, "configuration of the image");
    const char *variant = hf_json_str_or(json, "variant", "");
    (void)snprintf(name, HF_OCI_PLATFORM, "%s/%s%s%s", hf_json_str_or(json, "os", "unknown"),
                   hf_json_str_or(json, "architecture", "unknown"), variant[0] != '\0' ? "/" : "", variant);
    return 0;
}

static int add_platform(struct hf_cli_image *image, const struct hf_oci_descriptor *at, const char *name,
                        const struct hf_buf *text, struct hf_err *err)
{
    struct hf_cli_image_platform *platform = &image->platforms[image->platforms_n++];
    int r = 0;

    platform->manifest.at = *at;
    platform->manifest.text = (struct hf_buf)HF_BUF_INIT(HF_OCI_JSON_MAX);
    if (text != NULL)
        r = hf_buf_add(&platform->manifest.text, text->p, text->n);
    else
        r = read_text(image, at, true, &platform->manifest.text, err);
    if (r == 0)
        r = hf_oci_manifest_parse(hf_buf_view(&platform->manifest.text), &platform->parsed, err);
    if (r == 0 && name[0] != '\0')
        (void)snprintf(platform->name, sizeof(platform->name), "%s", name);
    else if (r == 0)
        r = platform_of_config(image, &platform->parsed.config, platform->name, err);
    return r;
}

static int read_platforms(struct hf_cli_image *image, struct hf_err *err)
{
    struct hf_oci_index index = {.n = 0};
    int r = hf_oci_is_index(image->root.at.media_type, hf_buf_view(&image->root.text), err);

    if (r < 0)
        return r;
    image->is_index = r == 1;
    r = image->is_index ? hf_oci_index_parse(hf_buf_view(&image->root.text), &index, err) : 0;
    image->platforms = r == 0 ? calloc(index.n + 1, sizeof(*image->platforms)) : NULL;
    if (r == 0 && image->platforms == NULL)
        r = hf_err_set(err, ENOMEM, "out of memory");
    if (r == 0 && !image->is_index)
        r = add_platform(image, &image->root.at, "", &image->root.text, err);
    for (size_t i = 0; r == 0 && i < index.n; i++) {
        const struct hf_oci_index_entry *entry = &index.entries[i];
        if (!entry->attestation && entry->artifact_type[0] == '\0' && strncmp(entry->platform, "unknown", 7) != 0)
            r = add_platform(image, &entry->manifest, entry->platform, NULL, err);
    }
    hf_oci_index_done(&index);
    if (r == 0 && image->platforms_n == 0)
        r = hf_err_set(err, EBADMSG, "the index lists no image that can run");
    return r;
}

/* ---- layouts and archives ---------------------------------------------------------------------------------------- */

/* Finds the image in the text of an index.json: by `want` (a tag or digest), or the only one. */
static int choose(struct hf_cli_image *image, struct hf_view text, const char *want, struct hf_err *err)
{
    struct hf_oci_index index;
    const struct hf_oci_index_entry *found = NULL;
    size_t n = 0;
    int r = hf_oci_index_parse(text, &index, err);

    if (r < 0)
        return r;
    for (size_t i = 0; i < index.n; i++) {
        const struct hf_oci_index_entry *entry = &index.entries[i];
        if (want[0] == '\0' ? entry->artifact_type[0] != '\0'
                            : strcmp(want, entry->ref_name) != 0 && strcmp(want, entry->manifest.digest) != 0)
            continue;
        n += found == NULL || strcmp(found->manifest.digest, entry->manifest.digest) != 0;
        found = entry;
    }
    if (n == 1)
        image->root.at = found->manifest;
    else if (want[0] != '\0')
        r = hf_err_set(err, ENOENT, "index.json has no image '%.80s'", want);
    else
        r = hf_err_set(err, EINVAL, "index.json has %zu images: name one, as FOLDER:TAG or FOLDER@DIGEST", n);
    hf_oci_index_done(&index);
    return r;
}

static int open_layout(struct hf_cli_image *image, const char *want, struct hf_err *err)
{
    _cleanup_(hf_freep) char *path = hf_asprintf("%s/index.json", image->folder);
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(HF_OCI_JSON_MAX);
    int r = path != NULL ? hf_file_read(image->cli->fs, path, &text, err) : hf_err_set(err, ENOMEM, "out of memory");

    if (r == -EINVAL) /* not a regular file; -EINVAL would blame the command line */
        return -EBADMSG;
    if (r == 0)
        r = choose(image, hf_buf_view(&text), want, err);
    return r == 0 ? read_text(image, &image->root.at, true, &image->root.text, err) : r;
}

static int list_members(struct hf_cli_image *image, struct hf_err *err)
{
    struct hf_delta_memory memory = {image->archive.p, image->archive.n};
    struct hf_tar tar = {.ctx = &memory, .pread = hf_delta_memory_pread, .size = image->archive.n};
    struct hf_tar_member file;
    int r;

    while ((r = hf_tar_next(&tar, &file, err)) > 0) {
        if (file.type != HF_TAR_FILE)
            continue;
        if (hf_array_grow(image->members, image->members_n, image->members_cap, MAX_MEMBERS) < 0)
            return hf_err_set(err, E2BIG, "the archive has more than %d files", MAX_MEMBERS);
        struct member *member = &image->members[image->members_n++];
        *member = (struct member){.name = strdup(file.name), .offset = file.offset, .size = file.size};
        if (member->name == NULL)
            return hf_err_set(err, ENOMEM, "out of memory");
        if (strncmp(file.name, "blobs/sha256/", 13) == 0)
            (void)snprintf(member->digest, sizeof(member->digest), "sha256:%.64s", file.name + 13);
    }
    return r;
}

static struct hf_view member_text(const struct hf_cli_image *image, const struct member *member)
{
    return (struct hf_view){(const char *)image->archive.p + member->offset, (size_t)member->size};
}

/* The descriptor of a file that manifest.json names, by its own hash. */
static json_t *describe(struct hf_cli_image *image, const char *name, bool config)
{
    struct member *member = find_member(image, name);
    struct hf_oci_descriptor at = {.size = 0};

    if (member == NULL)
        return NULL;
    const struct hf_view bytes = member_text(image, member);
    (void)hf_oci_digest_of(bytes.p, bytes.n, member->digest);
    memcpy(at.digest, member->digest, sizeof(at.digest));
    at.size = member->size;
    const char *type =
        config                                                       ? HF_OCI_TYPE_CONFIG
        : bytes.n > 2 && memcmp(bytes.p, "\x1f\x8b", 2) == 0         ? "application/vnd.oci.image.layer.v1.tar+gzip"
        : bytes.n > 4 && memcmp(bytes.p, "\x28\xb5\x2f\xfd", 4) == 0 ? "application/vnd.oci.image.layer.v1.tar+zstd"
                                                                     : "application/vnd.oci.image.layer.v1.tar";
    (void)snprintf(at.media_type, sizeof(at.media_type), "%s", type);
    return hf_oci_descriptor_json(&at);
}

static int add_own_manifest(struct hf_cli_image *image, const json_t *image_json, struct hf_err *err)
{
    const json_t *names = json_object_get(image_json, "Layers");
    json_t *layers = json_array();

    for (size_t i = 0; i < json_array_size(names); i++) {
        const char *name = json_string_value(json_array_get(names, i));
        if (name == NULL || json_array_append_new(layers, describe(image, name, false)) < 0) {
            json_decref(layers);
            return hf_err_set(err, EBADMSG, "manifest.json: the archive lacks layer %zu", i);
        }
    }
    _cleanup_(hf_json_freep) json_t *manifest =
        json_pack("{s:i, s:s, s:o, s:o}", "schemaVersion", 2, "mediaType", HF_OCI_TYPE_MANIFEST, "config",
                  describe(image, hf_json_str_or(image_json, "Config", ""), true), "layers", layers);
    image->root.text = (struct hf_buf)HF_BUF_INIT(HF_OCI_JSON_MAX);
    if (manifest == NULL)
        return hf_err_set(err, EBADMSG, "manifest.json: the archive lacks the configuration");
    if (hf_json_format(manifest, &image->root.text) < 0)
        return hf_err_set(err, ENOMEM, "out of memory");
    (void)snprintf(image->root.at.media_type, sizeof(image->root.at.media_type), "%s", HF_OCI_TYPE_MANIFEST);
    (void)hf_oci_digest_of(image->root.text.p, image->root.text.n, image->root.at.digest);
    image->root.at.size = image->root.text.n;
    return 0;
}

static int open_archive(struct hf_cli_image *image, const char *path, struct hf_err *err)
{
    _cleanup_(hf_json_freep) json_t *json = NULL;
    int r = hf_cli_map_open(image->cli, path, MAX_ARCHIVE, &image->archive, err);

    if (r == 0)
        r = list_members(image, err);
    if (r < 0)
        return r;
    const struct member *index = find_member(image, "index.json"), *old = find_member(image, "manifest.json");
    if (index != NULL) {
        r = choose(image, member_text(image, index), "", err);
        return r == 0 ? read_text(image, &image->root.at, true, &image->root.text, err) : r;
    }
    if (old == NULL)
        return hf_err_set(err, EBADMSG, "neither an OCI layout nor an archive of 'docker save'");
    r = hf_json_parse(member_text(image, old), NULL, &json, err);
    if (r == 0 && json_array_size(json) != 1)
        r = hf_err_set(err, EINVAL, "manifest.json has %zu images, not one", json_array_size(json));
    return r == 0 ? add_own_manifest(image, json_array_get(json, 0), err) : r;
}

/* ---- opening ----------------------------------------------------------------------------------------------------- */

static int open_in_registry(struct hf_cli_image *image, const char *text, const struct hf_cli_image_access *access,
                            struct hf_err *err)
{
    struct hf_oci_reference *at = &image->reference;
    int r = hf_oci_reference_parse(text, at, err);

    if (r == 0)
        r = hf_cli_image_registry(access, at, &image->registry, err);
    if (r < 0)
        return r;
    image->root.text = (struct hf_buf)HF_BUF_INIT(HF_OCI_JSON_MAX);
    return hf_oci_registry_manifest(image->registry, at->repository, at->digest[0] != '\0' ? at->digest : at->tag,
                                    &image->root.text, &image->root.at, err);
}

static bool is_folder(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static int open_place(struct hf_cli_image *image, const char *text, const struct hf_cli_image_access *access,
                      struct hf_err *err)
{
    struct stat st;

    if (strncmp(text, "docker://", 9) == 0)
        return open_in_registry(image, text + 9, access, err);
    if (stat(text, &st) == 0 && !S_ISDIR(st.st_mode))
        return open_archive(image, text, err);
    image->folder = strdup(text);
    if (image->folder == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    char *mark = is_folder(text) ? NULL : strchr(image->folder, '@');
    if (mark == NULL && !is_folder(text))
        mark = strrchr(image->folder, ':');
    const char *want = mark != NULL ? mark + 1 : "";
    if (mark != NULL)
        *mark = '\0';
    if (!is_folder(image->folder))
        return hf_err_set(err, ENOENT,
                          "no such file or folder; an image in a registry is docker://HOST/REPOSITORY:TAG");
    return open_layout(image, want, err);
}

int hf_cli_image_open(struct hf_cli *cli, const char *text, const struct hf_cli_image_access *access,
                      struct hf_cli_image **ret_image, struct hf_err *err)
{
    _cleanup_(hf_cli_image_freep) struct hf_cli_image *image = calloc(1, sizeof(*image));

    if (image == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    image->cli = cli;
    int r = open_place(image, text, access, err);
    if (r == 0)
        r = read_platforms(image, err);
    if (r < 0)
        return hf_err_wrap(err, r, "image '%s'", text);
    *ret_image = hf_steal(image);
    return 0;
}
