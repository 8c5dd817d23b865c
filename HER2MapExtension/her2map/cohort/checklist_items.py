"""The items of three reporting checklists, in short words, and what of the project's state answers each.

- STROBE for cohort and cross-sectional studies: von Elm E et al., PLoS Med 2007;4:e296.
- TRIPOD+AI: Collins GS et al., BMJ 2024;385:e078378, doi 10.1136/bmj-2023-078378.
- CLAIM: Mongan J, Moy L, Kahn CE, Radiol Artif Intell 2020;2:e200029, doi 10.1148/ryai.2020200029.

A line is number | item | key of the answer in :mod:`her2map.cohort.checklists`; without a key the item is the
authors' to answer. The wording is ours; submit with the checklist's own form.
"""

STROBE = """
1a | Title names the design |
1b | Abstract: what was done and found |
2 | Background and rationale |
3 | Objectives and hypotheses |
4 | Design, early in the paper | design
5 | Setting, places and dates |
6a | Eligibility, sources and selection of participants | flow
6b | Matching | not_matched
7 | Outcome, exposures, predictors and how they are defined | variables
8 | Sources of data and how each was measured | measurement
9 | What was done against bias | blinding
10 | How the study size was arrived at |
11 | How quantitative variables were handled | quantitative
12a | Statistical methods, control for confounding | methods
12b | Subgroups and interactions | subgroups
12c | Missing data | missing
12d | Loss to follow-up, sampling |
12e | Sensitivity analyses | sensitivity
13a | Numbers at each stage | numbers
13b | Reasons for not taking part | flow
13c | Flow diagram | diagram
14a | Characteristics of participants | characteristics
14b | Missing data for each variable | missing_counts
14c | Follow-up time | no_follow_up
15 | Numbers of outcome events | events
16a | Unadjusted and adjusted estimates with intervals | estimates
16b | Boundaries of categories | boundaries
16c | Relative into absolute risk |
17 | Other analyses | sensitivity
18 | Key results |
19 | Limitations |
20 | Interpretation |
21 | Generalisability |
22 | Funding |
"""

TRIPOD_AI = """
1 | Title names a prediction model, its population and outcome |
2 | Abstract by TRIPOD+AI for abstracts |
3a | Healthcare context and rationale |
3b | Target population, purpose, users |
3c | Known health inequalities |
4 | Objectives: development, evaluation or both | objective
5a | Sources of the data, representativeness |
5b | Dates of collection |
6a | Setting, centres |
6b | Eligibility criteria | flow
6c | Treatments and how they were handled |
7 | Data preparation, quality control | measurement
8a | Outcome: definition, time, how assessed | outcome
8b | Qualifications of those who assessed it |
8c | Blinding of the outcome's assessment |
9a | Choice of the initial predictors | candidates
9b | Predictors: definition, how measured, blinding | blinding
9c | Qualifications of those who assessed predictors |
10 | Study size, its justification |
11 | Missing data | missing
12a | How the data were used: development, evaluation, partition | partition
12b | Handling of predictors: form, rescaling | quantitative
12c | Type of model, rationale, all building steps, validation | building
12d | Heterogeneity between clusters |
12e | Measures of performance and plots | performance
12f | Model updating | no_updating
12g | How predictions are calculated | specification
13 | Class imbalance | imbalance
14 | Fairness |
15 | Output of the model, thresholds | output
16 | Differences between development and evaluation data | partition
17 | Ethical approval |
18a | Funding |
18b | Conflicts of interest |
18c | Protocol |
18d | Registration |
18e | Data sharing |
18f | Code sharing | code
19 | Patient and public involvement |
20a | Flow of participants, with and without outcome | numbers
20b | Characteristics of participants, missing values | characteristics
20c | Comparison of development and evaluation data | partition
21 | Participants and events in each analysis | events
22 | The full model | specification
23a | Performance with intervals | performance_found
23b | Heterogeneity of performance |
24 | Results of updating | no_updating
25 | Interpretation, fairness |
26 | Limitations |
27a | How poor or missing input is handled when the model is used | refusal
27b | Interaction of users with the model |
27c | Next steps, generalisability |
"""

CLAIM = """
1 | Title or abstract names the AI methodology |
2 | Structured abstract |
3 | Background, intended use and clinical role |
4 | Aims and hypotheses |
5 | Prospective or retrospective |
6 | Study goal | objective
7 | Data sources |
8 | Eligibility: how, where and when | flow
9 | Preprocessing | measurement
10 | Selection of data subsets | roi
11 | Definition of data elements | variables
12 | De-identification | deidentified
13 | Missing data | missing
14 | Reference standard | outcome
15 | Rationale of the reference standard |
16 | Who annotated, qualifications |
17 | Annotation tools | tools
18 | Variability within and between readers | agreement
19 | Intended sample size |
20 | Assignment to partitions | partition
21 | Level at which partitions are disjoint | partition
22 | The model: inputs, outputs, parts | specification
23 | Software, versions | software
24 | Initialisation of parameters | fitting
25 | Training: augmentation, hyperparameters | building
26 | How the final model was selected | building
27 | Ensembling | no_ensemble
28 | Metrics of performance | performance
29 | Statistical significance and uncertainty | methods
30 | Robustness and sensitivity | sensitivity
31 | Explainability | explain
32 | Validation on external data | partition
33 | Flow of participants | numbers
34 | Demographic and clinical characteristics | characteristics
35 | Performance on all partitions | performance_found
36 | Diagnostic accuracy with precision | accuracy
37 | Failure analysis |
38 | Limitations, bias, generalisability |
39 | Implications for practice |
40 | Registration |
41 | Where the full protocol is | protocol
42 | Funding |
"""

CHECKLISTS = {"STROBE": STROBE, "TRIPOD+AI": TRIPOD_AI, "CLAIM": CLAIM}
