/* SPDX-License-Identifier: Apache-2.0 */
/* What an entry of spec.manifests gets from outside: archives, files of bundles, texts with variables, ConfigMaps, URLs. The first byte
 * chooses. Each bundle that comes out obeys the rules of bundles, comes back from its file with the same digest, and is not larger than
 * a bundle may be. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "codec/seal.h"
#include "manifests/source/cluster_url.h"
#include "manifests/source/config_map.h"
#include "manifests/source/substitute.h"
#include "manifests/source/unarchive.h"
#include "support/fakes/simfs.h"
#include "support/makers/tarball.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void check(const struct hf_bundle *bundle)
{
    size_t total = 0;

    for (size_t i = 0; i < bundle->n; i++) {
        const struct hf_bundle_file *file = &bundle->files[i];
        total += file->bytes.n;
        if (hf_bundle_check_path(file->path, NULL) < 0 || (file->mode & ~0777U) != 0 ||
            file->bytes.n > HF_BUNDLE_MAX_FILE || (i > 0 && strcmp(bundle->files[i - 1].path, file->path) >= 0))
            abort();
    }
    if (total != bundle->bytes || total > HF_BUNDLE_MAX_BYTES || bundle->n > HF_BUNDLE_MAX_FILES)
        abort();
}

static void substitute(const struct hf_bundle *bundle)
{
    struct hf_strmap values = {.free_value = NULL};
    struct hf_bundle *out = NULL;
    struct hf_err err = HF_ERR_INIT;
    char value[] = "some $$ ${value}";

    if (hf_strmap_put(&values, "A", value) < 0)
        abort();
    if (hf_substitute_bundle(bundle, &values, &out, &err) == 0) {
        check(out);
        if (out->n != bundle->n)
            abort();
    } else if (err.code == 0) {
        abort();
    }
    hf_bundle_free(out);
    hf_strmap_done(&values);
}

static void come_back(const struct hf_bundle *bundle)
{
    struct hf_simfs *sim = hf_simfs_new();
    struct hf_bundle *back = NULL;

    hf_simfs_mkdir(sim, "/d", 0700);
    if (hf_bundle_save(hf_simfs_ops(sim), "/d/b", bundle, NULL) < 0 ||
        hf_bundle_load(hf_simfs_ops(sim), "/d/b", &back, NULL) < 0 || strcmp(back->digest, bundle->digest) != 0)
        abort();
    hf_bundle_free(back);
    hf_simfs_free(sim);
}

static void use(struct hf_bundle *bundle)
{
    if (bundle == NULL)
        return;
    check(bundle);
    substitute(bundle);
    if (!bundle->secret)
        come_back(bundle);
    hf_bundle_free(bundle);
}

static void unarchive(const uint8_t *bytes, size_t n, bool pack)
{
    static const char *const sub_paths[] = {NULL, "sub", "a/b"};
    struct hf_buf tar = HF_BUF_INIT(8 << 20), gz = HF_BUF_INIT(8 << 20);

    if (pack) { /* the fuzzer need not find out how gzip works */
        if (hf_buf_add(&tar, bytes, n) < 0)
            abort();
        hf_tarball_gzip(&tar, &gz);
        bytes = (const uint8_t *)gz.p;
        n = gz.n;
    }
    for (size_t i = 0; i < 3; i++) {
        const struct hf_unarchive_params params = {.sub_path = sub_paths[i], .drop_top = i != 0};
        struct hf_unarchive *u = hf_unarchive_new(&params);
        struct hf_source_failure failure = {.reason = HF_MANIFEST_REASON_NONE};
        struct hf_bundle *bundle = NULL;
        int r = n == 0 ? 0 : hf_unarchive_feed(u, bytes, n / 2, &failure);
        if (r == 0 && n > 0)
            r = hf_unarchive_feed(u, bytes + n / 2, n - n / 2, &failure);
        if (r == 0)
            r = hf_unarchive_finish(u, &bundle, &failure);
        if ((r < 0) != (failure.reason != HF_MANIFEST_REASON_NONE) || (r < 0 && failure.err.code == 0))
            abort();
        use(bundle);
        hf_unarchive_free(u);
    }
    hf_buf_done(&tar);
    hf_buf_done(&gz);
}

/* A file with a good seal: what is behind it may be anything. */
static void load(const uint8_t *bytes, size_t n)
{
    struct hf_buf text = HF_BUF_INIT(8 << 20);
    struct hf_simfs *sim = hf_simfs_new();
    struct hf_bundle *bundle = NULL;

    if (hf_seal_format("manifests-bundle", 1, (struct hf_view){(const char *)bytes, n}, &text) < 0)
        abort();
    hf_simfs_put(sim, "/b", text.p, text.n, 0600);
    int r = hf_bundle_load(hf_simfs_ops(sim), "/b", &bundle, NULL);
    if (r != 0 && r != -EBADMSG)
        abort();
    hf_simfs_put(sim, "/b", bytes, n, 0600);
    if (hf_bundle_load(hf_simfs_ops(sim), "/b", &(struct hf_bundle *){NULL}, NULL) == 0)
        abort(); /* no fuzzer finds a SHA-256 */
    hf_buf_done(&text);
    hf_simfs_free(sim);
    use(bundle);
}

static void text_file(const uint8_t *bytes, size_t n)
{
    struct hf_bundle *bundle = hf_bundle_new();

    if (hf_bundle_add(bundle, "file", 0, (struct hf_view){(const char *)bytes, n}, NULL) == 0 &&
        hf_bundle_seal(bundle, NULL) == 0)
        use(bundle);
    else
        hf_bundle_free(bundle);
}

static void config_map(const uint8_t *bytes, size_t n, bool secret)
{
    json_t *json = NULL;
    struct hf_bundle *bundle = NULL;
    struct hf_source_failure failure;

    if (hf_json_parse((struct hf_view){(const char *)bytes, n}, NULL, &json, NULL) < 0)
        return;
    if (hf_config_map_bundle(json, secret, &bundle, &failure) < 0 && failure.reason == HF_MANIFEST_REASON_NONE)
        abort();
    json_decref(json);
    use(bundle);
}

static void cluster_url(const uint8_t *bytes, size_t n)
{
    char text[512], at[HF_CLUSTER_URL_MAX];
    struct hf_cluster_url url, again;

    n = n < sizeof(text) ? n : sizeof(text) - 1;
    memcpy(text, bytes, n);
    text[n] = '\0';
    if (hf_cluster_url_parse(text, &url) < 0)
        return;
    if (hf_cluster_url_parse(url.url, &again) < 0 || strchr(url.host, '/') != NULL || strchr(url.host, '@') != NULL)
        abort();
    if (hf_cluster_url_at(&url, "10.0.0.1", at) == 0 && strncmp(at + strlen(url.before), "10.0.0.1", 8) != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    if (n == 0 || n > 1 << 20)
        return 0;
    switch (bytes[0] % 7) {
    case 0:
        unarchive(bytes + 1, n - 1, false);
        break;
    case 1:
        unarchive(bytes + 1, n - 1, true);
        break;
    case 2:
        load(bytes + 1, n - 1);
        break;
    case 3:
        text_file(bytes + 1, n - 1);
        break;
    case 4:
    case 5:
        config_map(bytes + 1, n - 1, bytes[0] % 7 == 5);
        break;
    default:
        cluster_url(bytes + 1, n - 1);
        break;
    }
    return 0;
}
