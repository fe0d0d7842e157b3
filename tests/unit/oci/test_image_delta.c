/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/image_delta.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "oci/manifest.h"
#include "support/check_main.h"

#define A "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define C "sha256:cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"
#define D "sha256:dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd"
#define E "sha256:eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee"
#define GZ "application/vnd.oci.image.layer.v1.tar+gzip"

#define HEAD                                                                                                           \
    "{\"schemaVersion\":2,\"mediaType\":\"" HF_OCI_TYPE_MANIFEST "\",\"artifactType\":\"" HF_OCI_TYPE_IMAGE_DELTA      \
    "\",\"config\":{\"mediaType\":\"" HF_OCI_TYPE_EMPTY                                                                \
    "\",\"digest\":\"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a\",\"size\":2,\"data\":"   \
    "\"e30=\"},\"layers\":["
#define SUBJECT "{\"mediaType\":\"" HF_OCI_TYPE_MANIFEST "\",\"digest\":\"" A "\",\"size\":700}"
#define WHOLE "{\"mediaType\":\"" GZ "\",\"digest\":\"" D "\",\"size\":5}"
#define DELTA(size, to, to_size, from)                                                                                 \
    "{\"mediaType\":\"" HF_OCI_TYPE_LAYER_DELTA "\",\"digest\":\"" B "\",\"size\":" size                               \
    ",\"annotations\":{\"edge.codcompass.io/to\":\"" to "\",\"edge.codcompass.io/to.size\":\"" to_size                 \
    "\",\"edge.codcompass.io/from\":\"" from "\"}}"
#define NOTES(to, from, bytes)                                                                                         \
    ",\"annotations\":{\"edge.codcompass.io/to\":\"" to "\",\"edge.codcompass.io/bytes\":\"" bytes                     \
    "\",\"edge.codcompass.io/from\":\"" from "\"}}"
#define TAIL "],\"subject\":" SUBJECT NOTES(A, E, "805")
#define GOOD HEAD SUBJECT "," DELTA("100", C, "9000", D "," E) "," WHOLE TAIL

START_TEST(reads_and_writes)
{
    struct hf_oci_image_delta delta;
    struct hf_err err = HF_ERR_INIT;
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(HF_OCI_JSON_MAX);

    ck_assert_msg(hf_oci_image_delta_parse(hf_view_of(GOOD), &delta, &err) == 0, "%s", err.cause);
    ck_assert_str_eq(delta.subject.digest, A);
    ck_assert_str_eq(delta.from, E);
    ck_assert_uint_eq(delta.blobs_n, 3);
    ck_assert_uint_eq(hf_oci_image_delta_bytes(&delta), 805);
    ck_assert_str_eq(delta.blobs[1].to, C);
    ck_assert_uint_eq(delta.blobs[1].to_size, 9000);
    ck_assert_uint_eq(delta.blobs[1].from_n, 2);
    ck_assert_str_eq(delta.blobs[1].from[0], D);
    ck_assert_str_eq(delta.blobs[1].from[1], E);
    ck_assert_str_eq(delta.blobs[2].to, D);
    ck_assert_uint_eq(delta.blobs[2].to_size, 5);
    ck_assert_uint_eq(delta.blobs[2].from_n, 0);
    ck_assert_int_eq(hf_oci_image_delta_format(&delta, &text, &err), 0);
    ck_assert_str_eq(hf_buf_str(&text), GOOD);
    hf_oci_image_delta_done(&delta);
}
END_TEST

static const struct {
    const char *text, *why;
    int r;
} bad[] = {
    {"", "", -EBADMSG},
    {"[]", "not an OCI image manifest", -EBADMSG},
    {"{\"schemaVersion\":2,\"mediaType\":\"" HF_OCI_TYPE_MANIFEST "\"}", "artifactType", -EBADMSG},
    {HEAD TAIL, "layer 0", -EBADMSG},
    {HEAD WHOLE TAIL, "layer 0", -EBADMSG},
    {HEAD SUBJECT "," WHOLE "," WHOLE TAIL, "same blob", -EBADMSG},
    {HEAD SUBJECT "," DELTA("100", D, "9000", E) "," WHOLE TAIL, "same blob", -EBADMSG},
    {HEAD SUBJECT "," DELTA("101", C, "9000", D) "," WHOLE TAIL, "bytes", -EBADMSG},
    {HEAD SUBJECT "," DELTA("-1", C, "9000", D) "," WHOLE TAIL, "size", -EBADMSG},
    {HEAD SUBJECT "," DELTA("1e2", C, "9000", D) "," WHOLE TAIL, "size", -EBADMSG},
    {HEAD SUBJECT "," DELTA("1099511627777", C, "9000", D) "," WHOLE TAIL, "size", -EBADMSG},
    {HEAD SUBJECT "," DELTA("100", "sha512:00", "9000", D) "," WHOLE TAIL, "to", -EBADMSG},
    {HEAD SUBJECT "," DELTA("100", "", "9000", D) "," WHOLE TAIL, "to", -EBADMSG},
    {HEAD SUBJECT "," DELTA("100", C, "-1", D) "," WHOLE TAIL, "to.size", -EBADMSG},
    {HEAD SUBJECT "," DELTA("100", C, "9000", "") "," WHOLE TAIL, "from", -EBADMSG},
    {HEAD SUBJECT "," DELTA("100", C, "9000", D ",") "," WHOLE TAIL, "from", -EBADMSG},
    {HEAD SUBJECT "," DELTA("100", C, "9000", D ";" E) "," WHOLE TAIL, "from", -EBADMSG},
    {HEAD SUBJECT "," DELTA("100", C, "9000", D "," D) "," WHOLE TAIL, "twice", -EBADMSG},
    {HEAD SUBJECT "," DELTA("100", C, "9000", D) "," WHOLE "],\"subject\":" WHOLE NOTES(A, E, "805"), "subject",
     -EBADMSG},
    {HEAD SUBJECT "," DELTA("100", C, "9000", D) "," WHOLE "],\"subject\":" SUBJECT NOTES(E, E, "805"), "subject",
     -EBADMSG},
    {HEAD SUBJECT "," DELTA("100", C, "9000", D) "," WHOLE "],\"subject\":" SUBJECT NOTES(A, "x", "805"), "from",
     -EBADMSG},
    {HEAD SUBJECT "," DELTA("100", C, "9000", D) "," WHOLE "],\"subject\":" SUBJECT, "", -EBADMSG},
    {HEAD SUBJECT "],\"subject\":" SUBJECT "}", "to", -EBADMSG},
};

START_TEST(refuses)
{
    struct hf_oci_image_delta delta;
    struct hf_err err = HF_ERR_INIT;
    char text[600];
    int r = hf_oci_image_delta_parse(hf_view_of(bad[_i].text), &delta, &err);

    ck_assert_msg(r == bad[_i].r, "%d: %d", _i, r);
    ck_assert_msg(strstr(hf_err_text(&err, text, sizeof(text)), bad[_i].why) != NULL, "%d: %s", _i, text);
}
END_TEST

/* A hostile registry's lists end at their bounds. */
START_TEST(bounds)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(HF_OCI_JSON_MAX);
    _cleanup_(hf_buf_done) struct hf_buf from = HF_BUF_INIT(HF_OCI_JSON_MAX);
    struct hf_oci_image_delta delta;

    ck_assert_int_eq(hf_buf_add_str(&text, HEAD SUBJECT), 0);
    for (int i = 0; i < HF_OCI_DELTA_BLOBS; i++)
        ck_assert_int_eq(hf_buf_addf(&text, ",{\"mediaType\":\"a/b\",\"digest\":\"sha256:%064d\",\"size\":1}", i), 0);
    ck_assert_int_eq(hf_buf_add_str(&text, TAIL), 0);
    ck_assert_int_eq(hf_oci_image_delta_parse(hf_buf_view(&text), &delta, NULL), -E2BIG);

    for (int i = 0; i <= HF_OCI_DELTA_FROM; i++)
        ck_assert_int_eq(hf_buf_addf(&from, "%ssha256:%064d", i > 0 ? "," : "", i), 0);
    hf_buf_clear(&text);
    ck_assert_int_eq(hf_buf_addf(&text, HEAD SUBJECT "," DELTA("100", C, "9000", "%s") TAIL, hf_buf_str(&from)), 0);
    ck_assert_int_eq(hf_oci_image_delta_parse(hf_buf_view(&text), &delta, NULL), -E2BIG);
}
END_TEST

#define OFFER(type, bytes)                                                                                             \
    "{\"mediaType\":\"" HF_OCI_TYPE_MANIFEST "\",\"digest\":\"" B "\",\"size\":900,\"artifactType\":\"" type           \
    "\",\"annotations\":{\"edge.codcompass.io/to\":\"" A "\",\"edge.codcompass.io/bytes\":\"" bytes                    \
    "\",\"edge.codcompass.io/from\":\"" E "\"}}"

START_TEST(offers)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(4096);
    _cleanup_(hf_json_freep) json_t *json = NULL;
    struct hf_oci_delta_offer *got = NULL;
    size_t n = 0;

    ck_assert_int_eq(hf_oci_delta_offers_parse(
                         hf_view_of("{\"schemaVersion\":2,\"manifests\":[" OFFER("a/signature", "805") "," OFFER(
                             HF_OCI_TYPE_IMAGE_DELTA, "x") ",7," OFFER(HF_OCI_TYPE_IMAGE_DELTA, "805") "]}"),
                         &got, &n, NULL),
                     0);
    ck_assert_uint_eq(n, 1);
    ck_assert_str_eq(got[0].artifact.digest, B);
    ck_assert_str_eq(got[0].to, A);
    ck_assert_str_eq(got[0].from, E);
    ck_assert_uint_eq(got[0].bytes, 805);
    json = hf_oci_delta_offer_json(&got[0]);
    ck_assert_int_eq(hf_json_format(json, &text), 0);
    ck_assert_str_eq(hf_buf_str(&text), OFFER(HF_OCI_TYPE_IMAGE_DELTA, "805"));
    free(got);
    ck_assert_int_eq(hf_oci_delta_offers_parse(HF_VIEW("{\"schemaVersion\":2}"), &got, &n, NULL), -EBADMSG);
    ck_assert_int_eq(hf_oci_delta_offers_parse(HF_VIEW("{"), &got, &n, NULL), -EBADMSG);
}
END_TEST

#define INDEX(manifests) "{\"schemaVersion\":2,\"mediaType\":\"" HF_OCI_TYPE_INDEX "\",\"manifests\":[" manifests "]}"

START_TEST(offer_added)
{
    struct hf_oci_delta_offer offer = {.artifact = {HF_OCI_TYPE_MANIFEST, B, 900}, .to = A, .from = E, .bytes = 805};
    _cleanup_(hf_buf_done) struct hf_buf first = HF_BUF_INIT(8192), second = HF_BUF_INIT(8192);

    ck_assert_int_eq(hf_oci_delta_offer_add((struct hf_view){NULL, 0}, &offer, &first, NULL), 0);
    ck_assert_str_eq(hf_buf_str(&first), INDEX(OFFER(HF_OCI_TYPE_IMAGE_DELTA, "805")));
    hf_buf_clear(&first);
    /* What is not ours stays, and an older one between the same images goes. */
    offer.bytes = 700;
    ck_assert_int_eq(hf_oci_delta_offer_add(HF_VIEW(INDEX(OFFER(HF_OCI_TYPE_IMAGE_DELTA,
                                                                "805") "," OFFER("a/signature", "805") ",{\"x\":1}")),
                                            &offer, &second, NULL),
                     0);
    ck_assert_str_eq(hf_buf_str(&second),
                     INDEX(OFFER("a/signature", "805") ",{\"x\":1}," OFFER(HF_OCI_TYPE_IMAGE_DELTA, "700")));
    ck_assert_int_eq(hf_oci_delta_offer_add(HF_VIEW("{}"), &offer, &first, NULL), -EBADMSG);
}
END_TEST

START_TEST(manifests)
{
    struct hf_oci_manifest manifest;
    struct hf_oci_index index;

    ck_assert_int_eq(hf_oci_manifest_parse(
                         hf_view_of("{\"schemaVersion\":2,\"config\":" WHOLE ",\"layers\":[" WHOLE "," SUBJECT "]}"),
                         &manifest, NULL),
                     0);
    ck_assert_uint_eq(manifest.layers_n, 2);
    ck_assert_str_eq(manifest.layers[1].digest, A);
    hf_oci_manifest_done(&manifest);
    ck_assert_int_eq(
        hf_oci_manifest_parse(hf_view_of("{\"schemaVersion\":2,\"config\":" WHOLE ",\"layers\":[7]}"), &manifest, NULL),
        -EBADMSG);
    ck_assert_int_eq(hf_oci_manifest_parse(HF_VIEW("{\"schemaVersion\":1}"), &manifest, NULL), -EBADMSG);

    static const char text[] = "{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"" HF_OCI_TYPE_MANIFEST
                               "\",\"digest\":\"" A "\",\"size\":7,\"platform\":{\"architecture\":\"arm\",\"os\":"
                               "\"linux\",\"variant\":\"v7\"}},{\"mediaType\":\"" HF_OCI_TYPE_MANIFEST
                               "\",\"digest\":\"" B "\",\"size\":7,\"annotations\":{\"vnd.docker.reference.type\":"
                               "\"attestation-manifest\",\"org.opencontainers.image.ref.name\":\"1.4\"}}]}";
    ck_assert_int_eq(hf_oci_is_index("", HF_VIEW(text), NULL), 1);
    ck_assert_int_eq(hf_oci_is_index("", HF_VIEW("{\"schemaVersion\":2,\"layers\":[]}"), NULL), 0);
    ck_assert_int_eq(hf_oci_is_index("", HF_VIEW("{\"schemaVersion\":1,\"layers\":[]}"), NULL), -EBADMSG);
    ck_assert_int_eq(hf_oci_is_index(HF_OCI_TYPE_DOCKER_LIST, HF_VIEW(""), NULL), 1);
    ck_assert_int_eq(hf_oci_is_index("text/html", HF_VIEW(""), NULL), -EBADMSG);
    ck_assert_int_eq(hf_oci_index_parse(HF_VIEW(text), &index, NULL), 0);
    ck_assert_uint_eq(index.n, 2);
    ck_assert_str_eq(index.entries[0].platform, "linux/arm/v7");
    ck_assert(!index.entries[0].attestation && index.entries[1].attestation);
    ck_assert_str_eq(index.entries[1].ref_name, "1.4");
    hf_oci_index_done(&index);
    ck_assert_int_eq(hf_oci_index_parse(HF_VIEW("{\"schemaVersion\":2,\"manifests\":[{}]}"), &index, NULL), -EBADMSG);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_test(tc, reads_and_writes);
    tcase_add_loop_test(tc, refuses, 0, (int)HF_LEN(bad));
    tcase_add_test(tc, bounds);
    tcase_add_test(tc, offers);
    tcase_add_test(tc, offer_added);
    tcase_add_test(tc, manifests);
}

HF_TEST_MAIN("oci/image_delta", cases)
