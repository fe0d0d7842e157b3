/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/registry/reference.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "api/field/text.h"
#include "base/asprintf.h"
#include "base/net/host.h"

#define HUB                                                                                                            \
    "docker."                                                                                                          \
    "io"
#define LETTERS "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"

/* The first part of an image's name is a host if nothing else can be meant, which `certain` says. */
static bool is_host(const char *text, bool certain)
{
    return (certain ? text[0] != '\0' : strpbrk(text, ".:") != NULL || strcmp(text, "localhost") == 0) &&
           strspn(text, LETTERS ".-:[]") == strlen(text);
}

static bool is_hub(const char *host)
{
    return strcasecmp(host, HUB) == 0;
}

const char *hf_oci_api_host(const char *host)
{
    return is_hub(host) ? "registry-1." HUB : host;
}

const char *hf_oci_name_host(const char *api_host)
{
    return strcasecmp(api_host, "registry-1." HUB) == 0 ? HUB : api_host;
}

const char *hf_oci_login_host(const char *host)
{
    return is_hub(host) ? "index." HUB : host;
}

bool hf_oci_is_tag(const char *text)
{
    return strlen(text) < HF_OCI_TAG && text[0] != '\0' && text[0] != '.' && text[0] != '-' &&
           strspn(text, LETTERS "._-") == strlen(text);
}

/* Ends the text at `mark`, if it is there, and moves what follows to `to`. False: it does not fit. */
static bool cut(char *mark, char *to, size_t size)
{
    if (mark == NULL)
        return true;
    *mark = '\0';
    return snprintf(to, size, "%s", mark + 1) < (int)size;
}

int hf_oci_reference_parse(const char *text, struct hf_oci_reference *ret, struct hf_err *err)
{
    struct hf_oci_reference reference = {.host = ""};
    char rest[HF_OCI_REPOSITORY + HF_OCI_TAG + HF_OCI_DIGEST];
    bool blob = strncmp(text, "oci://", 6) == 0;

    text += blob ? 6 : 0;
    const char *slash = strchr(text, '/');

    if (slash == NULL || (size_t)(slash - text) >= sizeof(reference.host))
        return hf_err_set(err, EINVAL, "'%.100s': expected HOST/REPOSITORY:TAG or HOST/REPOSITORY@DIGEST", text);
    memcpy(reference.host, text, (size_t)(slash - text));
    if (!is_host(reference.host, blob))
        return hf_err_set(
            err, EINVAL,
            "'%.100s' does not begin with the host of a registry, such as registry.example.com/: there is no default",
            text);
    bool official = is_hub(reference.host) && strchr(slash + 1, '/') == NULL;
    if (snprintf(rest, sizeof(rest), "%s%s", official ? "library/" : "", slash + 1) >= (int)sizeof(rest))
        return hf_err_set(err, EINVAL, "'%.100s...' is too long", text);
    char *at = strchr(rest, '@');
    if (!cut(at, reference.digest, sizeof(reference.digest)) || (at != NULL && !hf_oci_is_digest(reference.digest)))
        return hf_err_set(err, EINVAL, "'%.100s': after '@', expected sha256: and 64 lower-case hex digits", text);
    char *colon = strchr(rest, ':');
    if (!cut(colon, reference.tag, sizeof(reference.tag)) || (colon != NULL && !hf_oci_is_tag(reference.tag)))
        return hf_err_set(err, EINVAL, "'%.100s': what follows ':' is no tag", text);
    if (!hf_text_is_repository(hf_view_of(rest)) ||
        snprintf(reference.repository, sizeof(reference.repository), "%s", rest) >= (int)sizeof(reference.repository))
        return hf_err_set(err, EINVAL, "'%.100s': '%.60s' is no name of a repository", text, rest);
    if (at == NULL && colon == NULL)
        return hf_err_set(err, EINVAL, "'%.100s' has neither a tag nor a digest", text);
    *ret = reference;
    return 0;
}

const char *hf_oci_reference_origin(const struct hf_oci_reference *reference, bool plain, char *text, size_t size)
{
    (void)snprintf(text, size, "%s://%s", plain ? "http" : "https", hf_oci_api_host(reference->host));
    return text;
}

int hf_oci_blob_url(const char *url, char **ret_url)
{
    struct hf_oci_reference at;
    char origin[HF_OCI_HOST + 32];

    if (strncmp(url, "oci://", 6) != 0 || hf_oci_reference_parse(url, &at, NULL) < 0 || at.digest[0] == '\0')
        return 0;
    (void)hf_oci_reference_origin(&at, hf_host_is_loopback(hf_host_of_url(url)), origin, sizeof(origin));
    *ret_url = hf_asprintf("%s/v2/%s/blobs/%s", origin, at.repository, at.digest);
    return *ret_url != NULL ? 1 : -ENOMEM;
}

bool hf_oci_blob_repository(const char *url, char name[static HF_OCI_REPOSITORY])
{
    const char *start = strstr(url, "/v2/"), *end = start != NULL ? strstr(start, "/blobs/sha256:") : NULL;
    size_t n = end != NULL && end > start + 4 ? (size_t)(end - start - 4) : 0;

    if (n == 0 || n >= HF_OCI_REPOSITORY || !hf_text_is_repository((struct hf_view){start + 4, n}))
        return false;
    memcpy(name, start + 4, n);
    name[n] = '\0';
    return true;
}
