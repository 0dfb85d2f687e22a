"""A database with something on every page: filled by the package's own functions, without a notebook."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd
import sqlalchemy as sa
import xarray as xr
from report_samples import HOSTILE

from ems.assets.operation import AssetStatus, MaintenanceRecord
from ems.assets.portfolio import read_portfolio
from ems.database.batch_records import Batch, BatchCase
from ems.database.batches import open_batch
from ems.database.optimizations import store_optimization
from ems.database.operation import create_maintenance, report_statuses
from ems.database.records import OptimizationAsset, OptimizationJob, Run
from ems.database.register_portfolio import save_portfolio
from ems.database.runs import complete_run, fail_run, open_run, start_run
from ems.database.workflow_records import TaskExecution, WorkflowDefinition, WorkflowExecution
from ems.database.workflows import close_execution, keep_definition, open_execution, take_lease, write_task
from ems.folders import project_folder

NOW = dt.datetime.now(dt.UTC).replace(microsecond=0)
EVIL = "<img src=x onerror=alert(1)>"
CASES = ("demo", "harbour", "campus")
