"""What the engine must do, and the tests that show it: the requirements R and the pitfalls P, by number.

R53 to R61 are about several devices and belong elsewhere. A row is what is claimed, in a few words, and the tests, as
`file::function` under tests/engine unless another folder is named; `UNCOVERED` lists what no test shows, with the
reason.
"""
import ast
import functools
import pathlib

import pytest

TESTS = pathlib.Path(__file__).parents[1]
SMALL = "test_requirements_small.py::"


def row(claim, *tests):
    """What is claimed, and the tests by their full names; one without a file stands in test_requirements_small.py."""
    full = [test if "::" in test else SMALL + test for test in tests]
    return claim, [f"tests/{test}" if "/" in test else f"tests/engine/{test}" for test in full]


REQUIREMENTS = {
    "R1": row("NumPy's names and syntax", "test_numpy.py::test_a_function_is_numpys",
              "test_array.py::test_methods_are_numpys", "test_indexing.py::test_reading_with_basic_indices"),
    "R2": row("a module in NumPy's place", "test_the_damped_sine_gives_numpys_numbers",
              "test_numpy.py::test_constants_and_types_are_numpys"),
    "R3": row("no writing in place", "test_array.py::test_an_array_cannot_be_changed_in_place",
              "test_errors.py::test_an_error_says_what_why_and_what_to_write"),
    "R4": row("x.at[i].set gives a new array", "test_indexing.py::test_writing_with_any_index"),
    "R5": row("no call changes an argument", "test_no_transformed_call_changes_an_argument"),
    "R6": row("linear algebra", "test_linalg.py::test_factors_and_solves_are_right_at_every_size"),
    "R7": row("vmap of a convolution is a loop", "test_conv.py::test_vmap_over_examples_and_windows_is_a_loop"),
    "R8": row("same inputs, same outputs", "test_repeated_calls_are_equal_to_the_bit"),
    "R9": row("no session to set up", "test_ahead_of_time.py::test_another_process_can_call_it",
              "test_threads.py::test_an_outer_world_is_not_seen_by_another_thread"),
    "R10": row("a name for a subexpression changes nothing", "test_naming_a_subexpression_changes_nothing"),
    "R11": row("equal, unused and repeated work goes", "test_passes.py::test_equal_operations_are_done_once",
               "test_passes.py::test_what_a_loop_computes_anew_moves_out",
               "test_passes.py::test_what_nothing_uses_goes_through_loops_and_branches"),
    "R12": row("impure code: what happens", "test_jit.py::test_later_changes_of_a_closed_over_numpy_array_are_not_seen",
               "test_callback.py::test_python_print_runs_when_tracing_only",
               "test_a_leak_is_found_wherever_the_value_is_kept"),
    "R13": row("print runs while tracing", "test_callback.py::test_python_print_runs_when_tracing_only"),
    "R14": row("debug.print runs when the program does",
               "test_callback.py::test_debug_print_under_vmap_grad_scan_and_while"),
    "R15": row("a function works in a bare process", "test_ahead_of_time.py::test_another_process_can_call_it",
               "test_xla.py::test_xla_is_quiet_and_jaxlib_waits_for_its_first_use"),
    "R16": row("no races between threads", "test_threads.py::test_threads_trace_different_functions_at_once",
               "test_threads.py::test_threads_call_one_compiled_function_for_the_first_time_at_once"),
    "R17": row("a derivative is a typed program", "test_ir.py::test_a_program_prints_as_it_did",
               "test_contract.py::test_transformed_programs_are_well_formed"),
    "R18": row("no tape at run time", "test_a_compiled_gradient_calls_no_python_of_the_user"),
    "R19": row("rules for primitives and functions", "test_custom.py::test_the_rule_is_used_by_grad",
               "test_errors.py::test_a_missing_rule_says_where_to_give_it"),
    "R20": row("grad gives a function", "test_grad.py::test_argnums_choose_the_arguments_and_shape_the_gradient"),
    "R21": row("the first argument, its shape", "test_grad.py::test_gradients_keep_the_dtype_of_their_argument",
               "test_grad.py::test_argnums_choose_the_arguments_and_shape_the_gradient"),
    "R22": row("a result that is no scalar is an error", "test_grad.py::test_what_cannot_be_differentiated_is_named"),
    "R23": row("loops, branches, recursion, closures", "test_control.py::test_loops_of_loops_under_everything",
               "test_grad_follows_python_recursion",
               "test_grad.py::test_values_closed_over_at_two_levels_of_scan_have_their_derivatives",
               "test_grad.py::test_values_closed_over_by_branches_have_their_derivatives"),
    "R24": row("derivatives of any order", "test_derivatives_to_the_sixth_order"),
    "R25": row("jacobians and hessians", "test_grad.py::test_the_hessian_is_the_same_by_every_way",
               "test_grad.py::test_jacobians_have_the_shape_of_the_result_and_then_of_the_argument"),
    "R26": row("jvp and vjp", "test_contract.py::test_vjp_is_the_transpose_of_jvp",
               "test_random_programs.py::test_reverse_mode_is_the_transpose_of_forward_mode"),
    "R27": row("exact to machine precision", "test_derivatives_are_exact_to_the_last_digits"),
    "R28": row("a gradient costs at most four functions", "test_a_gradient_costs_at_most_four_functions",
               "./test_benchmarks.py::test_a_gradient_is_timed_against_its_function"),
    "R29": row("forward costs n, reverse one", "test_a_jacobian_by_columns_costs_n_and_a_gradient_does_not"),
    "R30": row("gradients of lanes (pmap: with devices)",
               "test_the_gradient_of_lanes_is_the_lanes_of_the_gradient",
               "test_collective.py::test_derivatives_are_those_of_the_meaning"),
    "R31": row("against finite differences", "test_finite_differences_have_a_best_step_and_stay_worse"),
    "R32": row("Rosenbrock by descent", "test_gradient_descent_goes_down_rosenbrocks_valley"),
    "R33": row("an outer problem through an inner one",
               "test_an_outer_problem_differentiates_through_the_inner_optimiser"),
    "R34": row("checkpoints save memory", "test_remat.py::test_fewer_bytes_are_kept",
               "test_remat.py::test_values_and_derivatives_stay_the_same"),
    "R35": row("one executable for a function", "test_a_whole_function_is_one_executable"),
    "R36": row("decorator and function, static and default", "test_default_arguments_stay_defaults",
               "test_jit.py::test_jit_is_a_decorator_with_and_without_options"),
    "R37": row("compiled once for each type", "test_jit.py::test_a_function_is_traced_once_for_each_type",
               "test_jit.py::test_new_values_do_not_compile_again"),
    "R38": row("stages can be looked at", "test_ahead_of_time.py::test_a_compiled_function_is_callable_and_analysed"),
    "R39": row("several operations, one kernel",
               "test_element_wise_operations_become_one_kernel_without_temporaries"),
    "R40": row("temporaries vanish", "test_element_wise_operations_become_one_kernel_without_temporaries"),
    "R41": row("a model's density is one program",
               "inference/test_nuts.py::test_the_log_density_is_traced_once_and_stands_once_in_the_program",
               "ppl/test_model.py::test_log_joint_is_compiled_differentiated_and_mapped_over_data_sets"),
    "R43": row("little overhead of Python", "./test_benchmarks.py::test_the_benchmark_prints_its_tables"),
    "R44": row("an optimisation loop compiles", "test_a_loop_of_gradient_descent_is_one_program"),
    "R45": row("compilation is measured", "./test_benchmarks.py::test_the_benchmark_prints_its_tables"),
    "R46": row("the 99th percentile of a small call", "./test_benchmarks.py::test_the_benchmark_prints_its_tables"),
    "R47": row("a batch without a loop", "test_contract.py::test_vmap_is_a_loop",
               "test_lanes_of_matrix_vector_products"),
    "R48": row("the axis goes into each operation", "test_vmap.py::test_nested_vmaps_each_push_an_axis",
               "test_ir.py::test_a_program_prints_as_it_did"),
    "R49": row("in_axes, None to share", "test_lanes_of_matrix_vector_products",
               "test_vmap.py::test_in_axes_moves_any_axis_to_the_front"),
    "R50": row("lanes of matrix products", "test_lanes_of_matrix_vector_products"),
    "R51": row("lanes equal the loop", "test_contract.py::test_vmap_is_a_loop",
               "test_random_programs.py::test_random_programs_under_random_nestings_of_three"),
    "R52": row("lanes beat a loop: timed", "./test_benchmarks.py::test_the_benchmark_prints_its_tables"),
    "R62": row("transformations in any order",
               "test_random_programs.py::test_one_program_with_everything_under_nestings_of_three",
               "test_random_programs.py::test_every_function_under_every_pair"),
    "R63": row("jit(vmap(grad(f)))", "test_per_example_gradients_compile_in_one_line"),
    "R64": row("grad(vmap(f))", "test_the_gradient_of_lanes_is_the_lanes_of_the_gradient"),
    "R65": row("any depth", "test_eight_transformations_deep"),
    "R66": row("each transformation has its law", "test_contract.py::test_jvp_is_the_finite_difference",
               "test_contract.py::test_vmap_is_a_loop", "test_contract.py::test_grad_is_the_same_compiled"),
    "R67": row("one function, every strategy", "test_one_function_under_every_strategy"),
    "R68": row("one definition is enough", "test_one_function_under_every_strategy",
               "./test_readme.py::test_the_readme_fits_a_model_and_transforms_a_program"),
    "R69": row("keys are explicit", "test_random_keys.py::test_a_seed_is_its_64_bits"),
    "R70": row("normal(key, shape)", "test_random_samplers.py::test_continuous_draws_have_their_distribution"),
    "R71": row("split a key", "test_random_keys.py::test_draws_splits_folds_and_inner_keys_do_not_meet"),
    "R72": row("equal bits (compiled and not)", "test_random.py::test_compiled_draws_are_those_of_numpy",
               "test_random_keys.py::test_the_ciphers_give_the_known_answers_of_random123"),
    "R74": row("looking inside", "test_callback.py::test_debug_nans_names_the_operation_and_the_users_line",
               "test_callback.py::test_debug_print_prints_once_a_run_in_order"),
    "R75": row("compiled code and named values", "test_callback.py::test_named_scope_reaches_the_optimised_program",
               "test_ahead_of_time.py::test_a_compiled_function_is_callable_and_analysed"),
    "R76": row("a drawing before and after", "test_drawing.py::test_what_a_transformation_has_changed_is_marked"),
    "R77": row("profiles with our names", "test_profile.py::test_a_profile_is_a_trace_with_our_names"),
    "R78": row("signatures are kept", "test_names_and_signatures_are_kept"),
    "R79": row("checked piece by piece", "test_ir.py::test_the_checker_catches_a_broken_program",
               "test_contract.py::test_the_value_is_that_of_the_reference"),
    "R80": row("operations and bytes are told", "test_xla.py::test_an_executable_tells_its_cost_memory_and_code"),
}

PITFALLS = {
    "P1": row("perturbation confusion", "test_grad.py::test_an_inner_derivative_does_not_see_the_outer_variable",
              "test_grad.py::test_levels_stay_apart_through_programs"),
    "P2": row("leaked tracers", "test_a_leak_is_found_wherever_the_value_is_kept",
              "test_callback.py::test_check_leaks_says_that_a_tracer_is_held"),
    "P3": row("a rule in the wrong world", "test_a_callback_may_transform_functions",
              "test_jit.py::test_an_exception_while_tracing_leaves_the_world_as_it_was",
              "test_threads.py::test_an_outer_world_is_not_seen_by_another_thread"),
    "P4": row("Python scalars in a carry", "test_control.py::test_python_scalars_of_a_carry_take_the_type_of_the_body",
              "test_control.py::test_scan_traces_its_body_a_fixed_number_of_times_and_compiles_once"),
    "P5": row("integers have no tangent", "test_grad.py::test_integers_have_no_tangent_and_get_zeros"),
    "P6": row("zeros stay symbols", "test_derivatives_write_no_zeros"),
    "P7": row("what does not change is kept once",
              "test_grad.py::test_a_matrix_that_does_not_change_in_a_loop_is_not_stored_for_each_step"),
    "P8": row("the way back through scan",
              "test_control.py::test_the_derivatives_of_a_scan_are_those_of_the_python_loop",
              "test_grad.py::test_a_matrix_that_does_not_change_in_a_loop_is_not_stored_for_each_step"),
    "P9": row("the way back through while is refused",
              "test_control.py::test_reverse_mode_through_a_while_loop_says_what_to_do",
              "test_control.py::test_fori_with_known_bounds_goes_through_grad"),
    "P10": row("lanes of a branch", "test_control.py::test_the_branch_not_taken_does_not_spoil_the_derivative",
               "test_vmap.py::test_a_shared_condition_stays_a_branch_and_one_per_lane_becomes_a_choice",
               "test_random.py::test_parameters_out_of_their_domain_give_nan_or_minus_one_and_end"),
    "P11": row("lanes of a while loop", "test_vmap.py::test_lanes_of_a_while_loop_stop_each_at_their_time",
               "test_vmap.py::test_unbatched_loop_counters_stay_scalars"),
    "P12": row("a carry found out on the third pass",
               "test_vmap.py::test_a_carry_that_becomes_batched_only_on_the_third_pass",
               "test_control.py::test_a_carry_of_a_scan_that_gets_its_tangent_only_on_the_third_pass"),
    "P13": row("loops that close over traced values",
               "test_control.py::test_nested_scans_capture_at_both_levels_in_grad"),
    "P14": row("order of effects", "test_callback.py::test_debug_print_prints_once_a_run_in_order",
               "test_callback.py::test_debug_print_under_vmap_grad_scan_and_while",
               "test_passes.py::test_effects_are_neither_merged_nor_dropped_nor_moved"),
    "P15": row("effects under recomputation", "test_a_print_in_a_recomputed_function_comes_once"),
    "P16": row("keys of the cache", "test_jit.py::test_static_arguments_of_equal_value_and_another_type_differ",
               "test_jit.py::test_methods_are_traced_once_for_each_object_and_die_with_it",
               "test_jit.py::test_settings_and_context_make_programs_of_their_own",
               "test_retrace.py::test_the_sentence_names_what_changed"),
    "P17": row("first calls at once",
               "test_threads.py::test_threads_call_one_compiled_function_for_the_first_time_at_once",
               "test_xla.py::test_threads_that_ask_for_one_program_compile_it_once"),
    "P18": row("closed-over arrays are arguments", "test_the_text_does_not_grow_with_a_closed_over_array",
               "test_jit.py::test_an_array_closed_over_twice_is_one_argument"),
    "P19": row("one table of dtypes", "test_numpy.py::test_all_pairs_of_dtypes_promote_as_in_numpy"),
    "P21": row("where and NaN", "test_grad.py::test_the_double_where_keeps_infinities_out",
               "test_grad.py::test_where_passes_the_derivative_to_the_chosen_side"),
    "P22": row("out of range", "test_indexing.py::test_known_indices_out_of_range_raise",
               "test_indexing.py::test_traced_indices_out_of_range_are_clipped_when_read_and_dropped_when_written"),
    "P23": row("static arguments that cannot be kept", "test_jit.py::test_an_unhashable_static_argument_is_named"),
    "P24": row("donated arrays are dead", "test_ahead_of_time.py::test_a_donated_array_is_deleted_and_its_memory_used"),
    "P25": row("late errors keep their cause", "test_callback.py::test_the_callbacks_own_exception_comes_back",
               "test_xla.py::test_an_exception_in_a_callback_comes_back_as_itself"),
    "P27": row("custom rules and what they close over",
               "test_custom.py::test_nondiff_arguments_stay_python_values",
               "test_custom.py::test_trees_go_in_and_out"),
    "P28": row("high orders grow slowly", "test_programs_of_nth_derivatives_grow_like_a_polynomial"),
    "P29": row("tracing a gradient is timed", "./test_benchmarks.py::test_the_benchmark_prints_its_tables"),
    "P30": row("the transpose of psum",
               "test_collective.py::test_grad_inside_of_the_axis_sums_over_the_lanes_cotangents",
               "test_collective.py::test_derivatives_are_those_of_the_meaning"),
    "P31": row("complex derivatives",
               "test_complex.py::test_values_and_holomorphic_derivatives",
               "test_complex.py::test_vjp_is_the_transpose_of_jvp_over_the_reals"),
    "P32": row("ties share the derivative", "test_grad.py::test_ties_share_the_derivative"),
    "P33": row("traces leave nothing behind", "test_many_traces_leave_nothing_behind",
               "test_staging_needs_no_collector"),
    "P34": row("a forked child is refused", "test_xla.py::test_a_forked_child_is_refused"),
}

UNCOVERED = {
    "R42": "the tests run on the CPU; no test compiles for a GPU or a TPU or runs on one",
    "R73": "the tests run twice and compare bits, but there is no command that a user runs for it",
    "R81": "the benchmark prints arithmetic a second; neither the machine's peak nor its energy is known to it",
    "P20": "no hint is given when a Python loop unrolls into a long program",
    "P26": "one device so far: placement comes with the work on several",
}
WANTED = [f"R{i}" for i in (*range(1, 53), *range(62, 82))] + [f"P{i}" for i in range(1, 35)]
SHOWN = {**REQUIREMENTS, **PITFALLS}


@functools.cache
def functions(file):
    """The names of the test functions at the top of a file of this repository."""
    text = (TESTS.parent / file).read_text(encoding="utf-8")
    return {node.name for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("which", SHOWN)
def test_the_tests_of_a_row_exist(which):
    claim, tests = SHOWN[which]
    assert claim and tests
    for test in tests:
        file, _, name = test.partition("::")
        assert name.startswith("test_") and name in functions(file), test


def test_every_requirement_and_pitfall_is_shown_or_listed_as_not():
    assert sorted([*SHOWN, *UNCOVERED]) == sorted(WANTED)
    assert all(UNCOVERED.values())
