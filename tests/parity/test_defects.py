"""What the earlier Navigator got wrong, and which of our tests would notice it here.

The table is `recordings/contract/DEFECTS.md`. A number is a recording that is replayed, a text
is a test.
"""

import ast
import re

from tests.contract import FOLDER
from tests.conventions.tree import PROJECT
from tests.parity.test_complete import cases

WEB, GENERATION = "tests/app/web", "tests/app/generation"
NOTICED_BY: dict[str, tuple[int | str, ...]] = {
    "A1": (82, 295, 357),
    "A2": (83, 358),
    "A3": (294, 359),
    "A4": (297, 360),
    "A5": (296,),
    "A6": (200, 201, 311),
    "A7": (287,),
    "A8": (114, 115, 288),
    "A9": (289, 290),
    "A10": (291, 292),
    "A11": (293,),
    "A12": (
        55,
        f"{WEB}/test_legacy_admin_routes.py::test_nobody_disables_themselves_and_all_is_as_before",
    ),
    "A13": (59,),
    "A14": (298,),
    "A15": (
        (
            f"{GENERATION}/test_handler_database.py::"
            "test_database_that_is_away_when_a_picture_is_ready_gets_it_when_it_is_back"
        ),
        (
            "tests/app/database/test_connection.py::"
            "test_stopped_server_is_unavailable_and_its_return_is_noticed"
        ),
    ),
    "A16": (f"{WEB}/test_queue_routes_pictures.py::test_upscale_asks_forge_for_nothing",),
    "B1": (f"{WEB}/test_queue_routes_ending.py::test_waiting_job_is_removed_as_recorded",),
    "B2": (
        212,
        f"{WEB}/test_queue_routes_ending.py::test_foreign_jobs_look_as_if_they_were_missing",
    ),
    "B3": ("tests/e2e/test_kill.py::test_every_accepted_job_is_finished_exactly_once",),
    "B4": (
        *range(282, 287),
        "tests/app/clients/test_civitai.py::test_question_ends_in_time_however_many_addresses",
        f"{WEB}/test_catalogue_routes.py::test_nobody_waits_for_forge",
        (
            f"{GENERATION}/test_handler_trouble.py::"
            "test_forge_that_stops_drawing_is_given_up_and_a_restart_is_asked_for"
        ),
    ),
    "B5": (
        f"{WEB}/test_queue_routes.py::test_limit_of_waiting_jobs_is_429_naming_it",
        f"{WEB}/test_queue_routes_pictures.py::test_bytes_of_waiting_pictures_are_limited",
    ),
    "B6": (
        170,
        f"{WEB}/test_gallery_routes.py::test_unfinished_and_failed_jobs_are_not_among_the_pictures",
        f"{GENERATION}/test_previews.py::test_previews_never_take_more_bytes_than_allowed",
    ),
    "B7": (168, 171),
    "B8": ("tests/app/jobs/test_queue.py::test_waiting_ends_when_a_job_comes_and_not_before",),
    "B9": (139,),
    "B10": (f"{GENERATION}/test_handler.py::test_progress_is_told_without_previews_too",),
    "C1": (195, f"{GENERATION}/test_requests.py::test_img2img_reaches_forge_as_it_was_asked_for"),
    "C2": (200, f"{GENERATION}/test_requests.py::test_img2img_reaches_forge_as_it_was_asked_for"),
    "C3": (
        f"{GENERATION}/test_requests.py::test_img2img_reaches_forge_as_it_was_asked_for",
        f"{GENERATION}/test_requests.py::test_mask_brings_the_inpainting_settings",
    ),
    "C4": (
        193,
        194,
        f"{WEB}/test_queue_routes_pictures.py::test_enhancements_of_img2img_are_a_choice",
    ),
    "C5": (f"{GENERATION}/test_requests.py::test_img2img_takes_modules_along",),
    "D1": (185, f"{GENERATION}/test_upscale.py::test_everything_that_made_the_picture_is_kept"),
    "D2": (187, f"{GENERATION}/test_upscale.py::test_everything_that_made_the_picture_is_kept"),
    "D3": (178, f"{GENERATION}/test_upscale.py::test_everything_that_made_the_picture_is_kept"),
    "D4": (165, 166, f"{WEB}/test_queue_routes.py::test_values_are_echoed_as_they_will_be_used"),
    "D5": (f"{WEB}/test_image_routes.py::test_info_keeps_every_character_of_the_prompt",),
    "D6": (144, 145, f"{WEB}/test_image_routes.py::test_info_is_as_recorded"),
    "D7": (72, 74, 160, 164),
    "D8": (
        f"{WEB}/test_catalogue_routes.py::test_samplers_are_the_first_25_unless_all_are_asked_for",
    ),
    "E1": (172, 173, f"{WEB}/test_realtime_rooms.py::test_invented_address_hears_nothing"),
    "E2": (f"{WEB}/test_realtime_rooms.py::test_token_hears_its_users_jobs_from_anywhere",),
    "E5": (
        "tests/app/jobs/test_queue.py::test_malformed_job_id_is_refused_and_nothing_is_queued",
        f"{WEB}/test_image_routes.py::test_embed_page_names_the_picture_at_an_address_of_ours",
    ),
    "E6": (
        f"{WEB}/test_image_routes.py::test_owner_is_told_to_themselves_and_to_administrators_only",
    ),
    "E7": (
        180,
        f"{WEB}/test_queue_routes_pictures.py::test_foreign_and_unknown_pictures_are_refused_alike",
    ),
    "E8": (
        279,
        f"{WEB}/test_civitai_routes.py::test_what_is_no_path_is_400",
        "tests/app/library/test_model_browser.py::test_only_what_is_for_everybody_can_be_looked_up",
    ),
    "E10": (f"{WEB}/test_legacy_admin_routes.py::test_disabling_shuts_out_and_never_promotes",),
    "E11": (331,),
    "E12": (8, 10),
    "E13": (
        f"{WEB}/test_catalogue_routes.py::test_refresh_needs_a_login_and_tells_everybody",
        f"{WEB}/test_civitai_routes.py::test_strangers_make_no_traffic_at_civitai",
    ),
    "E14": (f"{WEB}/test_catalogue_routes.py::test_refresh_needs_a_login_and_tells_everybody",),
    "E15": (54, f"{WEB}/test_legacy_admin_routes.py::test_authorizing_again_lowers_nobody"),
    "E16": (
        40,
        f"{WEB}/test_queue_routes.py::test_demo_user_and_superuser_are_the_owners_as_recorded",
    ),
    "F1": (f"{GENERATION}/test_gallery.py::test_pictures_of_one_second_appear_each_exactly_once",),
    "F2": (f"{GENERATION}/test_gallery.py::test_page_is_read_from_an_index_in_its_order",),
    "F3": (f"{WEB}/test_image_files.py::test_picture_is_its_file_byte_for_byte",),
    "F4": (f"{WEB}/test_image_files.py::test_picture_is_its_file_byte_for_byte",),
    "F6": (228, 237, 238),
    "F8": ("tests/app/test_settings.py::test_db_url_wins_over_db_host_over_the_file",),
    "G1": (118, f"{WEB}/test_cors.py::test_preflight_needs_neither_route_nor_token"),
    "G2": (332,),
    "G3": (333,),
    "G4": (336, "tests/app/test_settings.py::test_origin_of_forge_follows_its_api"),
    "G5": (301,),
    "G9": (63,),
    "E3": ("tests/app/library/test_file_names.py::test_name_is_only_a_name",),
    "E9": (
        (
            "tests/app/clients/test_civitai_files.py::"
            "test_key_does_not_follow_a_redirect_to_another_host"
        ),
    ),
    "E4": ("tests/app/library/test_model_keys.py::test_file_that_is_none_of_ours_has_no_hash",),
    "F5": (f"{WEB}/test_lora_routes.py::test_nobody_waits_while_a_large_file_is_read",),
    "G8": (98, 102),
    "G10": (95,),
    "F7": ("tests/app/test_bootstrap_pool.py::test_one_pool_of_connections_is_enough",),
    "G6": (273, 274),
    "G7": ("tests/app/library/test_download_plan.py::test_kind_follows_from_the_type",),
}
# Of what is not built yet; see `NOT_YET` in `test_complete.py`.


def test_every_defect_is_noticed_by_a_test() -> None:
    text = (FOLDER / "DEFECTS.md").read_text(encoding="utf-8")
    defects = re.findall(r"^\| ([A-G]\d+) \|", text, re.MULTILINE)
    assert sorted(defects) == sorted(NOTICED_BY)


def test_recordings_that_notice_a_defect_are_replayed() -> None:
    named = {one for noticing in NOTICED_BY.values() for one in noticing if isinstance(one, int)}
    assert sorted(named - {case.number for case in cases()}) == []


def test_tests_that_notice_a_defect_exist() -> None:
    named = {one for noticing in NOTICED_BY.values() for one in noticing if isinstance(one, str)}
    assert [one for one in sorted(named) if not _exists(one)] == []


def _exists(test: str) -> bool:
    file, _, name = test.partition("::")
    tree = ast.parse((PROJECT / file).read_text(encoding="utf-8"))
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return any(isinstance(one, functions) and one.name == name for one in tree.body)
