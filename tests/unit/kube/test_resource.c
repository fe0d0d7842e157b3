/* SPDX-License-Identifier: Apache-2.0 */
/* Objects in namespaces: their URLs, what no client follows, and the question whether CloudCore may list them. */
#include "kube/resource.h"

#include <errno.h>
#include <stdlib.h>

#include "kube/rules/review.h"
#include "support/check_main.h"

static const struct {
    const char *kind, *ns, *url; /* url NULL: refused */
} rows[] = {
    {"ConfigMap", "site", "https://api/api/v1/namespaces/site/configmaps?fieldSelector=metadata.name%3Dx&limit=100"},
    {"Service", "a-b-1", "https://api/api/v1/namespaces/a-b-1/services?fieldSelector=metadata.name%3Dx&limit=100"},
    {"OCIRepository", "flux-system",
     "https://api/apis/source.toolkit.fluxcd.io/v1/namespaces/flux-system/ocirepositories?fieldSelector="
     "metadata.name%3Dx&limit=100"},
    {"ExternalArtifact", "flux-system",
     "https://api/apis/source.toolkit.fluxcd.io/v1/namespaces/flux-system/externalartifacts?fieldSelector="
     "metadata.name%3Dx&limit=100"},
    {"Node", "site", NULL},
    {"Pod", "site", NULL},
    {"ConfigMap", "", NULL},
    {"ConfigMap", "-a", NULL},
    {"ConfigMap", "a-", NULL},
    {"ConfigMap", "a/../b", NULL},
    {"ConfigMap", "A", NULL},
    {"ConfigMap", "0123456789012345678901234567890123456789012345678901234567890123", NULL},
};

START_TEST(urls)
{
    _cleanup_(hf_buf_done) struct hf_buf url = HF_BUF_INIT(1000);
    struct hf_resource resource;
    char *path = NULL;
    int r = hf_resource_in(rows[_i].kind, rows[_i].ns, &resource, &path);

    ck_assert_msg(r == (rows[_i].url == NULL ? -EINVAL : 0), "%s in '%s': %d", rows[_i].kind, rows[_i].ns, r);
    if (r == 0) {
        ck_assert_int_eq(hf_resource_list_url("https://api", &resource, "x", HF_PAGE_EXACT, "", &url), 0);
        ck_assert_str_eq(hf_buf_str(&url), rows[_i].url);
    }
    ck_assert_ptr_null(r == 0 ? NULL : path);
    free(path);
}
END_TEST

/* A namespaced kind is none of those that a subscription to all objects may name. */
START_TEST(other_kinds)
{
    ck_assert_ptr_null(hf_resource_find("ConfigMap"));
    ck_assert_ptr_null(hf_resource_find("Secret"));
    ck_assert_ptr_nonnull(hf_resource_find("EdgeUpdate"));
}
END_TEST

/* CloudCore watches the kind in all namespaces. */
START_TEST(review_of_an_object_in_a_namespace)
{
    _cleanup_(hf_buf_done) struct hf_buf body = HF_BUF_INIT(1000);
    struct hf_resource resource;
    struct hf_err err = HF_ERR_INIT;
    char *path = NULL;

    ck_assert_int_eq(hf_resource_in("ConfigMap", "site", &resource, &path), 0);
    ck_assert_int_eq(hf_review_body(&resource, &body), 0);
    ck_assert_msg(strstr(hf_buf_str(&body), "\"resource\":\"configmaps\"}") != NULL, "%s", hf_buf_str(&body));
    hf_review_explain(HF_REVIEW_FORBIDDEN, &resource, &err);
    ck_assert_int_eq(err.code, EACCES);
    ck_assert_msg(strstr(err.cause, "configmaps in all namespaces") != NULL, "%s", err.cause);
    free(path);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, urls, 0, HF_LEN(rows));
    tcase_add_test(tc, other_kinds);
    tcase_add_test(tc, review_of_an_object_in_a_namespace);
}
HF_TEST_MAIN("kube/resource", cases)
